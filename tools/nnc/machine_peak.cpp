#include "tools/nnc/machine_peak.h"

#include <algorithm>

#include "runtime/memory.h"
#include "tools/nnc/machine_kernels.h"
#include "tools/workbench/clock.h"

namespace nnc::tool {

using namespace workbench;

double measured_peak_gflops(const MachineKernels& kernels, runtime::ThreadPool& pool, int runs) {
  runtime::Buffer arena = runtime::Buffer::zeros(64 * static_cast<size_t>(pool.threads()));
  abi::Context context;
  context.arena = arena.data();
  const double flops = kernels.flops * pool.threads();
  double best = 0;
  for (int run = 0; run < runs; ++run) {
    const auto start = Clock::now();
    pool.run(kernels.multiply_add, context, pool.threads(), false);
    best = std::max(best, flops / seconds_since(start) * 1e-9);
  }
  return best;
}

double measured_peak_gflops(const kernel::Target& target, runtime::ThreadPool& pool) {
  return measured_peak_gflops(machine_kernels(target), pool, 200);
}

}  // namespace nnc::tool
