// What every C header of a model has, whether its kernels are text in it or an object.
#pragma once

#include <string>

#include "compiler/codegen/emit_text.h"

namespace nnc::codegen {

// "float", "int32_t", …
const char* c_type_of(const EmitValue& value);
// "const float* x, float* probability"; the arguments of the same.
std::string c_parameters(const EmitFunction& function, const FunctionNames& names);
std::string c_arguments(const FunctionNames& names);

struct CHeader {
  std::string title;  // what it is and how to use it: the first comment
  size_t arena_bytes = 0;
  std::string includes = {};  // besides <stddef.h> and <stdint.h>
  std::string body;           // the functions, and what they need
};
// C99 and C++.
std::string c_header(const EmitRequest& request, const EmitNames& names, const CHeader& header);

// A program in C99 that checks either header with rows of data.
std::string emit_c_selftest(const EmitRequest& request, const std::string& link);

}  // namespace nnc::codegen
