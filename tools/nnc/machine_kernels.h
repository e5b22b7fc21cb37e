// Kernels that do nothing but compute, read or write: what a machine is measured with. They are
// made by the compiler's own kernel IR, so they are as wide as the kernels of a model.
#pragma once

#include <cstdint>
#include <memory>

#include "compiler/jit/jit.h"
#include "compiler/kernel/target.h"
#include "runtime/abi.h"

namespace nnc::tool {

struct MachineKernels {
  // `chains` vectors, each x <- x * a + b, `rounds` times; the sum goes to the thread's own cache
  // line of context.arena.
  abi::EntryFn multiply_add = nullptr;
  double flops = 0;  // of one call on one thread

  // Reads all vectors of [data, data + bytes) `passes` times, and writes their sum to `sink` (one
  // vector). `bytes` must be a multiple of block_bytes.
  void (*read)(const void* data, int64_t bytes, int64_t passes, void* sink) = nullptr;
  // Writes zeros to all of them.
  void (*write)(void* data, int64_t bytes, int64_t passes) = nullptr;
  int64_t block_bytes = 0;

  std::unique_ptr<jit::Executable> code;
};

MachineKernels machine_kernels(const kernel::Target& target);

}  // namespace nnc::tool
