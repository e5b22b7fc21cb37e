// How fast this machine can multiply and add: the yardstick of `nnc bench`.
#pragma once

#include "compiler/kernel/target.h"
#include "runtime/threads.h"

namespace nnc::tool {

struct MachineKernels;

// GFLOP/s (a multiply-add counts as 2) of f32 multiply-adds in registers on all threads of the
// pool, the best of several short runs: so many independent chains that latency is hidden, and no
// memory.
double measured_peak_gflops(const kernel::Target& target, runtime::ThreadPool& pool);
double measured_peak_gflops(const MachineKernels& kernels, runtime::ThreadPool& pool, int runs);

}  // namespace nnc::tool
