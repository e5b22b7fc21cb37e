// A scheduled graph as a kernel module: one function per group, a `core` that runs them in order
// for one thread, and an entry that unpacks the runtime's Context.
//
// Parameters of the core: state, arena; per input its rows and their order (i32); per output a
// pointer; scalars (f64 array); rows, thread, threads; barrier function and its state.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/kernel/plan.h"

namespace nnc::kernel {

struct GroupSummary {
  std::string function;
  std::string schedule;
  double flops = 0;
  double bytes = 0;      // read and written once each, at the program's batch
  bool barrier = false;  // threads wait for each other before it
  bool shared = false;   // done by all threads
  int line = 0;          // of the model file
  std::string shape;     // of its largest result
};

// What is known of a program before its kernels are written.
struct PlannedProgram {
  std::string entry;  // exported: void(const abi::Context*, i64 thread)
  std::string core;
  Plan plan;
  double flops = 0;  // of one call over all rows of the graph's batch
};

struct LoweredProgram : PlannedProgram {
  Module module;
  std::vector<GroupSummary> groups;
};

// `scheduled`: groups and assigns in execution order (passes::step_passes). The entry serves 1 …
// scheduled.batch rows. The plan points into the graph.
PlannedProgram plan_program(const ir::Graph& scheduled,
                            const std::map<std::string, size_t>& state_offsets,
                            const Target& target);

// With `profile`, the core calls the barrier function after every group (and once before the first)
// with profile_mark(thread, number): whoever runs it can take the time. Nothing else changes.
LoweredProgram lower_planned(const ir::Graph& scheduled, PlannedProgram planned,
                             const Target& target, bool profile = false);

inline LoweredProgram lower_program(const ir::Graph& scheduled,
                                    const std::map<std::string, size_t>& state_offsets,
                                    const Target& target) {
  return lower_planned(scheduled, plan_program(scheduled, state_offsets, target), target);
}

// All that decides about the kernels that lower_planned makes of the same arguments: equal texts,
// equal modules. It takes a tenth of the time of writing them.
std::string identity(const ir::Graph& scheduled, const PlannedProgram& planned,
                     const Target& target, bool profile = false);

// Marks and threads share the barrier function's argument: the upper half is 0 for a true barrier,
// else 1 + the number of groups that are done; barriers of a profile announce themselves too.
constexpr int64_t profile_shift = 32;

}  // namespace nnc::kernel
