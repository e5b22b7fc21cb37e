// Random but well-defined kernels for testing the printers: vector code over all scalar types with
// masks, loops, branches, shuffles, gathers and calls. No operation is undefined for any data.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/kernel/kernel.h"

namespace nnc::testing {

// The scalar types with a buffer of their own, in the order of the parameters.
inline constexpr kernel::Scalar buffer_scalars[] = {
    kernel::Scalar::f32, kernel::Scalar::f64, kernel::Scalar::bf16, kernel::Scalar::i32,
    kernel::Scalar::i64, kernel::Scalar::u8,  kernel::Scalar::i1};
inline constexpr int buffer_count = 7;

// A module that exports `entry(input pointers…, output pointers…, i64 n)`, with one pointer per
// scalar type, and calls a second function. Vectors have `lanes` lanes, whatever the target.
kernel::Module random_kernel(uint64_t seed, int lanes);

// Inputs and outputs of one run.
struct Buffers {
  Buffers(uint64_t seed, int64_t n, int lanes);
  std::vector<uint64_t> arguments();  // as `entry` takes them

  int64_t n;
  std::vector<std::vector<unsigned char>> inputs;
  std::vector<std::vector<unsigned char>> outputs;
};

// The first difference between outputs ("f32 buffer, element 12: …"), empty if there is none.
// All NaN are equal: which of two NaN operands is kept is not defined.
std::string first_difference(const Buffers& a, const Buffers& b);

}  // namespace nnc::testing
