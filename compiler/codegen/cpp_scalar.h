// Operations on single numbers in C++ text.
#pragma once

#include <string>
#include <vector>

#include "compiler/codegen/cpp_types.h"
#include "compiler/kernel/kernel.h"

namespace nnc::codegen {

// The operation written in place (`a < b`, `c ? a : b`, `static_cast<f32>(a)`), or "" if it needs
// a function of its own. `operand` is the type of the first argument.
std::string scalar_expression(CppLevel level, kernel::Op op, kernel::Type result,
                              kernel::Type operand, const std::vector<std::string>& arguments);

// The statements of that function; its parameters are a, b, c. Integers wrap, as in kernel IR.
std::string scalar_body(CppLevel level, kernel::Op op, kernel::Type result, kernel::Type operand);

// Fused multiply-add where the processor has it: lines "#if …" to "#endif" that return `fused` or
// the product and sum of a, b and c (values of type `type`) in two steps.
std::string muladd_if_fast(const std::string& type, const std::string& fused);

}  // namespace nnc::codegen
