// nnc bench --profile: where the time of a step goes, group by group.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "compiler/compile.h"
#include "runtime/threads.h"

namespace nnc::tool {

// Mean microseconds per step of the faster half of the steps, as thread 0 saw them.
struct GroupTime {
  kernel::GroupSummary group;
  double microseconds = 0;  // in its kernel
  double waiting = 0;       // at the barrier before it
  double imbalance = 0;     // of the kernel: slowest thread less the mean
};

struct Machine;

struct StepProfile {
  std::vector<GroupTime> groups;
  double step = 0;   // the whole call, as the caller sees it
  double other = 0;  // step less all of the above: waking threads, scalars, returning
};

// An entry that behaves as `profiled` (CompiledModel::profiled_entry) and records the marks of its
// calls. One profile at a time in a process.
abi::EntryDesc recording_entry(const abi::EntryDesc& profiled,
                               const std::vector<kernel::GroupSummary>& groups, int threads);

// Calls `call` (one step of the recording entry) for about `seconds` and sums up.
StepProfile record_profile(const std::function<void()>& call, double seconds);

// What the figures of a profile are compared with.
struct Yardstick {
  const Machine& machine;
  double peak_gflops = 0;  // of all threads, measured in the same run
  int threads = 1;         // that run the entry
};

// The table.
void print_profile(const StepProfile& profile, const Yardstick& yardstick);
// {"step_us", "kernels_us", "waiting_us", "other_us", "groups": [{"name", "line", …}]}
nlohmann::ordered_json to_json(const StepProfile& profile, const Yardstick& yardstick);

}  // namespace nnc::tool
