#include "tools/nnc/profile.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "tools/nnc/bound.h"
#include "tools/workbench/clock.h"

namespace nnc::tool {

using namespace workbench;

namespace {

// What compiled code reports to. It calls plain function pointers, so this is one per process.
struct Recorder {
  abi::EntryFn function = nullptr;
  std::vector<kernel::GroupSummary> groups;
  int threads = 1;
  std::vector<std::vector<Clock::duration>> spent;  // [thread][mark]: since the mark before it
  std::vector<Clock::time_point> last;              // [thread]: the last mark
};

Recorder& recorder() {
  static Recorder instance;
  return instance;
}

struct Barrier {
  void (*wait)(void*, int64_t);
  void* state;
};

// Marks come through the barrier's argument (kernel::profile_shift); the rest are true barriers.
void barrier_or_mark(void* state, int64_t argument) {
  const int64_t mark = argument >> kernel::profile_shift;
  const int64_t thread = argument & ((int64_t{1} << kernel::profile_shift) - 1);
  if (mark > 0) {
    const auto now = Clock::now();
    const auto t = static_cast<size_t>(thread);
    Clock::time_point& last = recorder().last[t];
    if (mark > 1) recorder().spent[t][static_cast<size_t>(mark - 1)] += now - last;
    last = now;
    return;
  }
  const auto* barrier = static_cast<const Barrier*>(state);
  barrier->wait(barrier->state, thread);
}

void recorded(const abi::Context* context, int64_t thread) {
  Barrier barrier{context->barrier, context->barrier_state};
  abi::Context own = *context;
  own.barrier = barrier_or_mark;
  own.barrier_state = &barrier;
  recorder().function(&own, thread);
}

double microseconds(Clock::duration d) {
  return std::chrono::duration<double, std::micro>(d).count();
}

// One step: per group its time, its wait and its imbalance; all as sums to be divided later.
StepProfile read_marks(double step) {
  const Recorder& r = recorder();
  StepProfile profile;
  profile.step = step;
  double seen = 0;
  size_t mark = 0;
  for (const kernel::GroupSummary& group : r.groups) {
    GroupTime time{group, 0, 0, 0};
    if (group.barrier) {
      time.waiting = microseconds(r.spent[0][++mark]);
    }
    double slowest = 0, sum = 0;
    ++mark;
    for (int t = 0; t < r.threads; ++t) {
      const double own = microseconds(r.spent[static_cast<size_t>(t)][mark]);
      slowest = std::max(slowest, own);
      sum += own;
    }
    time.microseconds = microseconds(r.spent[0][mark]);
    time.imbalance = group.shared ? slowest - sum / r.threads : 0;
    seen += time.microseconds + time.waiting;
    profile.groups.push_back(std::move(time));
  }
  profile.other = step - seen;
  return profile;
}

std::string short_name(const kernel::GroupSummary& group) {
  // "step_3_relu_2": the entry's name is the same in every line.
  const size_t first = group.function.find('_');
  return first == std::string::npos ? group.function : group.function.substr(first + 1);
}

double kernels_of(const StepProfile& profile) {
  double sum = 0;
  for (const GroupTime& time : profile.groups) sum += time.microseconds;
  return sum;
}

double waiting_of(const StepProfile& profile) {
  double sum = 0;
  for (const GroupTime& time : profile.groups) sum += time.waiting;
  return sum;
}

Bound bound_in(const GroupTime& time, const Yardstick& yardstick) {
  return bound_of(time, yardstick.machine, yardstick.threads);
}

// Of the measured peak; none of it is above, or the measurement was disturbed.
std::string share_text(double share) {
  return share <= 1 ? fmt::format("{:.0f}%", 100 * share) : "all";
}

// "compute 83%": how near it comes.
std::string text_of(const Bound& bound) {
  return bound.share > 0 ? fmt::format("{} {:.0f}%", bound.name, 100 * bound.share) : bound.name;
}

}  // namespace

abi::EntryDesc recording_entry(const abi::EntryDesc& profiled,
                               const std::vector<kernel::GroupSummary>& groups, int threads) {
  Recorder& r = recorder();
  r.function = profiled.function;
  r.groups = groups;
  r.threads = threads;
  size_t marks = 1 + groups.size();  // per step
  for (const kernel::GroupSummary& group : groups) marks += group.barrier ? 1 : 0;
  r.spent.assign(static_cast<size_t>(threads), std::vector<Clock::duration>(marks));
  r.last.assign(static_cast<size_t>(threads), {});
  abi::EntryDesc entry = profiled;
  entry.function = recorded;
  entry.preferred_threads = threads;
  return entry;
}

StepProfile record_profile(const std::function<void()>& call, double seconds) {
  for (int i = 0; i < 20; ++i) call();
  std::vector<StepProfile> steps;
  const auto start = Clock::now();
  while (microseconds(Clock::now() - start) < seconds * 1e6 || steps.size() < 20) {
    for (auto& spent : recorder().spent) std::fill(spent.begin(), spent.end(), Clock::duration{});
    const auto begin = Clock::now();
    call();
    steps.push_back(read_marks(microseconds(Clock::now() - begin)));
  }
  std::sort(steps.begin(), steps.end(),
            [](const StepProfile& a, const StepProfile& b) { return a.step < b.step; });
  steps.resize((steps.size() + 1) / 2);
  StepProfile mean = steps.front();
  for (size_t i = 1; i < steps.size(); ++i) {
    mean.step += steps[i].step;
    mean.other += steps[i].other;
    for (size_t g = 0; g < mean.groups.size(); ++g) {
      mean.groups[g].microseconds += steps[i].groups[g].microseconds;
      mean.groups[g].waiting += steps[i].groups[g].waiting;
      mean.groups[g].imbalance += steps[i].groups[g].imbalance;
    }
  }
  const auto count = static_cast<double>(steps.size());
  mean.step /= count;
  mean.other /= count;
  for (GroupTime& group : mean.groups) {
    group.microseconds /= count;
    group.waiting /= count;
    group.imbalance /= count;
  }
  return mean;
}

void print_profile(const StepProfile& profile, const Yardstick& yardstick) {
  // The columns of text are as wide as what they hold.
  size_t result = 18, schedule = 26;
  for (const GroupTime& time : profile.groups) {
    result = std::max(result, time.group.shape.size() + 2);
    schedule = std::max(schedule, time.group.schedule.size() + 1);
  }
  fmt::print("\n  {:<26}{:>5}  {:<{}}{:<{}}{:>9}{:>7}{:>12}{:>7}  {:<12}{:>8}{:>8}\n", "group",
             "line", "result", result, "schedule", schedule, "us", "share", "speed", "peak",
             "bound", "wait", "uneven");
  const std::string rule(94 + result + schedule, '-');
  fmt::print("  {}\n", rule);
  for (const GroupTime& time : profile.groups) {
    const kernel::GroupSummary& g = time.group;
    const bool computes = g.flops > 0;
    const double rate = (computes ? g.flops : g.bytes) / (time.microseconds * 1e3);
    fmt::print("  {:<26}{:>5}  {:<{}}{:<{}}{:>9.2f}{:>6.1f}%{:>12}{:>7}  {:<12}{:>8.2f}{:>8.2f}\n",
               short_name(g).substr(0, 25), g.line > 0 ? std::to_string(g.line) : "", g.shape,
               result, g.schedule, schedule, time.microseconds,
               100 * time.microseconds / profile.step,
               fmt::format("{:.0f} {}", rate, computes ? "GF/s" : "GB/s"),
               computes ? share_text(rate / yardstick.peak_gflops) : "",
               text_of(bound_in(time, yardstick)), time.waiting, time.imbalance);
  }
  fmt::print("  {}\n", rule);
  const auto sum = [&](const char* what, double us) {
    fmt::print("  {:<{}}{:>9.2f}\n", what, 33 + result + schedule, us);
  };
  sum("kernels", kernels_of(profile));
  sum("waiting at barriers", waiting_of(profile));
  sum("waking threads, scalars, the marks themselves", profile.other);
  sum("step", profile.step);
}

nlohmann::ordered_json to_json(const StepProfile& profile, const Yardstick& yardstick) {
  nlohmann::ordered_json groups = nlohmann::ordered_json::array();
  for (const GroupTime& time : profile.groups) {
    const kernel::GroupSummary& g = time.group;
    const Bound bound = bound_in(time, yardstick);
    groups.push_back({{"name", short_name(g)},
                      {"line", g.line},
                      {"shape", g.shape},
                      {"schedule", g.schedule},
                      {"us", time.microseconds},
                      {"flops", g.flops},
                      {"bytes", g.bytes},
                      {"bound", bound.name},
                      {"share_of_bound", bound.share},
                      {"waiting_us", time.waiting},
                      {"uneven_us", time.imbalance}});
  }
  return {{"step_us", profile.step},
          {"kernels_us", kernels_of(profile)},
          {"waiting_us", waiting_of(profile)},
          {"other_us", profile.other},
          {"groups", groups}};
}

}  // namespace nnc::tool
