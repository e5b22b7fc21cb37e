// Operations on values that fit a register: the compiler's vector extension where it says the same
// thing, intrinsics where it does not.
#pragma once

#include <string>
#include <vector>

#include "compiler/codegen/cpp_helpers.h"

namespace nnc::codegen {

class CppNative {
 public:
  explicit CppNative(CppHelpers& helpers) : helpers_(helpers), level_(helpers.level_) {}

  // The statements of a helper with parameters a, b, c, all of native form; "" if there is nothing
  // better than one scalar operation per lane.
  std::string body(kernel::Op op, kernel::Type result, const std::vector<kernel::Type>& operands);

  // "_mm512_", "_mm256_", "_mm_", and "ps", "pd", "epi32", "epi64", "epi8"; "" where the level has
  // no intrinsics for the width.
  std::string prefix(kernel::Type type) const;
  static std::string suffix(kernel::Type type);
  static std::string integer_register(kernel::Type type);  // "__m512i"
  // avx2: the mask as a register of integers of the type's width.
  std::string wide_mask(kernel::Type type, const std::string& mask);

 private:
  std::string float_body(kernel::Op op, kernel::Type type);
  std::string portable_float_body(kernel::Op op, kernel::Type type);
  std::string rounding(kernel::Op op, kernel::Type type);
  std::string integer_body(kernel::Op op, kernel::Type type);
  std::string integer_extremum(kernel::Op op, kernel::Type type);
  std::string mask_body(kernel::Op op, kernel::Type type);
  std::string compare(kernel::Op op, kernel::Type operand);
  std::string select(kernel::Type type);
  std::string convert(kernel::Type result, kernel::Type operand);
  std::string convert_intrinsic(kernel::Type result, kernel::Type operand);

  bool is_x86() const { return level_ == CppLevel::avx512 || level_ == CppLevel::avx2; }
  bool has_bit_masks() const { return level_ == CppLevel::avx512; }
  std::string as(const std::string& type, const std::string& text) const {
    return "reinterpret_cast<" + type + ">(" + text + ")";
  }

  CppHelpers& helpers_;
  CppLevel level_;
};

}  // namespace nnc::codegen
