// Identifiers and literals of emitted C++.
#pragma once

#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"

namespace nnc::codegen {

// True for C++ keywords, the names of helpers and types of emitted text, and names that the
// language reserves (`_Name`, `a__b`).
bool is_reserved_in_cpp(const std::string& name);

// "1.5f", "0x1.99999ap-4f": a literal of exactly this value; f32 values are rounded to float first.
// Infinities and NaN go through std::numeric_limits.
std::string cpp_float(kernel::Scalar scalar, double value);
// An integer or bool literal of the type.
std::string cpp_integer(kernel::Scalar scalar, int64_t value);

// Breaks a line at ", " so that it keeps within 100 columns; continuation lines are indented by
// `indent + 4`. The text begins with its own indentation.
std::string wrap_cpp(const std::string& text, int indent);

}  // namespace nnc::codegen
