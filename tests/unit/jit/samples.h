// Small modules that several tests compile.
#pragma once

#include <filesystem>
#include <string>

#include "compiler/jit/jit.h"
#include "compiler/kernel/builder.h"

namespace nnc::testing {

// void NAME(float* data, i64 n): data[i] = data[i] * factor + 1, by vectors with a masked rest.
kernel::Function& add_scale(kernel::Module& module, const std::string& name, double factor,
                            const kernel::Target& target, bool exported = true);
kernel::Module scale_module(double factor, const kernel::Target& target);
using ScaleFn = void (*)(float*, int64_t);

// void NAME(const float* a, const float* b, float* c, i64 k, i64 lda, i64 ldb, i64 ldc):
// c[rows, vectors * lanes] += a[rows, k] b[k, vectors * lanes], the accumulators in registers.
void add_matmul(kernel::Module& module, const std::string& name, const kernel::Target& target,
                int rows, int vectors);
using MatmulFn = void (*)(const float*, const float*, float*, int64_t, int64_t, int64_t, int64_t);

// void NAME(float* out, i64 n): n rounds of multiply-add on 12 independent registers; nothing but
// the arithmetic units limits it.
void add_peak(kernel::Module& module, const std::string& name, const kernel::Target& target);
using PeakFn = void (*)(float*, int64_t);

// A folder that is removed at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

}  // namespace nnc::testing
