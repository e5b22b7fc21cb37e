#include "compiler/codegen/cpp_types.h"

#include <fmt/format.h>

#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

using kernel::Scalar;
using kernel::Type;

const char* name_of(CppLevel level) {
  switch (level) {
    case CppLevel::plain: return "plain";
    case CppLevel::generic: return "generic";
    case CppLevel::avx2: return "avx2";
    case CppLevel::avx512: return "avx512";
  }
  return "";
}

// For cores that are hard to please: nobody knows where a header will run, and newer ones do as
// well with what suits these.
kernel::Target target_for(CppLevel level) {
  using kernel::Core, kernel::Isa;
  switch (level) {
    case CppLevel::avx512: return kernel::target_for(Isa::avx512, Core::intel);
    case CppLevel::avx2: return kernel::target_for(Isa::avx2, Core::intel);
    default: return kernel::target_for(Isa::sse2);
  }
}

std::vector<std::string> features_of(CppLevel level) {
  switch (level) {
    case CppLevel::avx512: return {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma"};
    case CppLevel::avx2: return {"avx2", "fma"};
    default: return {};
  }
}

std::string condition_of(CppLevel level) {
  switch (level) {
    case CppLevel::avx512:
      return "defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && \\\n"
             "    defined(__AVX512VL__) && defined(__FMA__)";
    case CppLevel::avx2: return "defined(__AVX2__) && defined(__FMA__)";
    default: return "1";
  }
}

bool is_vector_text(CppLevel level) { return level != CppLevel::plain; }

int register_bytes(CppLevel level) {
  switch (level) {
    case CppLevel::avx512: return 64;
    case CppLevel::avx2: return 32;
    default: return 16;
  }
}

CppForm form_of(CppLevel level, Type type) {
  if (type.lanes == 1) return CppForm::scalar;
  if (!is_vector_text(level)) return CppForm::array;
  if (type.scalar == Scalar::i1) {
    if (level == CppLevel::avx512) return type.lanes > 64 ? CppForm::split : CppForm::native;
    return form_of(level, type.with(Scalar::i32));
  }
  return bytes_of(type) > register_bytes(level) ? CppForm::split : CppForm::native;
}

std::string cpp_name(Type type) {
  const std::string scalar = kernel::name_of(type.scalar);
  return type.lanes == 1 ? scalar : fmt::format("{}x{}", scalar, type.lanes);
}

std::string cpp_element(Scalar scalar) {
  switch (scalar) {
    case Scalar::i1: return "bool";
    case Scalar::u8: return "std::uint8_t";
    case Scalar::i32: return "std::int32_t";
    case Scalar::i64: return "std::int64_t";
    case Scalar::f32: return "float";
    case Scalar::f64: return "double";
    case Scalar::ptr: return "unsigned char*";
    case Scalar::bf16: return "std::uint16_t";  // the upper half of a float
  }
  throw InternalError("internal error: unknown scalar type");
}

std::string mask_register(int lanes) { return fmt::format("__mmask{}", lanes < 8 ? 8 : lanes); }

}  // namespace nnc::codegen
