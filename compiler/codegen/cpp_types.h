// How a vector level holds kernel values: in a native register, as two halves, or as an array.
#pragma once

#include <string>
#include <vector>

#include "compiler/codegen/cpp_printer.h"
#include "compiler/kernel/kernel.h"

namespace nnc::codegen {

enum class CppForm {
  scalar,
  native,  // one register (or a part of one): a GCC vector type; i1: a mask struct with `bits`
  split,   // struct { half lo, hi; }: wider than the registers
  array,   // struct { T lane[N]; }: level plain
};

CppForm form_of(CppLevel level, kernel::Type type);
bool is_vector_text(CppLevel level);  // levels that use GCC vector types
int register_bytes(CppLevel level);
// What a level needs of an x86-64 processor, in the words of compilers: "avx2", "fma".
std::vector<std::string> features_of(CppLevel level);

// "f32", "f32x16", "ptr".
std::string cpp_name(kernel::Type type);
// The element as the C++ language spells it: "float", "std::int32_t", …
std::string cpp_element(kernel::Scalar scalar);
// avx512 masks: the register type that holds one bit per lane, "__mmask16".
std::string mask_register(int lanes);
inline kernel::Type half_of(kernel::Type type) { return {type.scalar, type.lanes / 2}; }
inline int bytes_of(kernel::Type type) { return kernel::bytes_of(type.scalar) * type.lanes; }

}  // namespace nnc::codegen
