#include "tools/nnc/bound.h"

#include <algorithm>

namespace nnc::tool {

namespace {

// Where a group of so many bytes finds its operands at best: what groups hand to each other has
// left L1, and L2 is there once for each thread.
const MemoryLevel& home_of(double bytes, const Machine& machine, int threads) {
  for (const MemoryLevel& level : machine.levels) {
    if (level.name == "L1") continue;
    const double room = static_cast<double>(level.capacity) * (level.name == "L2" ? threads : 1);
    if (room >= bytes) return level;
  }
  return machine.levels.back();
}

// Of one thread and of all of them; between the two every thread adds as much as the first.
double with_threads(double one, double all, int threads, int cores) {
  return threads >= cores ? all : std::min(all, one * threads);
}

}  // namespace

Bound bound_of(const GroupTime& time, const Machine& machine, int threads) {
  const kernel::GroupSummary& group = time.group;
  const int own_threads = group.shared ? threads : 1;
  const double took = time.microseconds;
  if (time.waiting > took) return {"barrier", 0};
  const double rounding = 2 * machine.barrier_ns + 200;  // ns; less is mostly start and end
  if (took * 1e3 < rounding) return {"small", 0};
  const double peak = with_threads(machine.peak_one, machine.peak_all, own_threads, machine.cores);
  Bound bound{"compute", group.flops / peak * 1e-3 / took};
  const MemoryLevel& home = home_of(group.bytes, machine, own_threads);
  const double speed = with_threads(home.one, home.all, own_threads, machine.cores);
  const double reading = group.bytes / speed * 1e-3 / took;
  if (reading > bound.share) bound = {home.name, reading};
  bound.share = std::min(bound.share, 1.0);
  return bound;
}

}  // namespace nnc::tool
