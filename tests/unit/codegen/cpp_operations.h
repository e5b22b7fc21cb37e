// Kernels for tests of the printers: one function for each operation, type and width, run over
// values that include zeros of both signs, infinities, NaN, denormals and halves.
#pragma once

#include <string>
#include <vector>

#include "compiler/kernel/builder.h"
#include "compiler/kernel/kernel.h"

namespace nnc::testing {

// One function of the module: `void name(ptr a, ptr b, ptr c, ptr out)` over `blocks` blocks of
// `lanes` elements.
struct OperationCase {
  std::string name;
  kernel::Scalar in;
  kernel::Scalar out;
  int lanes = 1;
  bool small_counts = false;  // operand b: shift counts
  bool divisor = false;       // operand b: never 0 or -1
  bool whole = false;         // operand a fits every integer type after truncation
};

constexpr int blocks = 16;

// Fills `module` with a function per case.
std::vector<OperationCase> operation_cases(kernel::Module& module);

// blocks * lanes elements of in type for operand 0, 1, 2; the same on every call.
std::vector<unsigned char> operand_bytes(const OperationCase& test, int operand);

}  // namespace nnc::testing
