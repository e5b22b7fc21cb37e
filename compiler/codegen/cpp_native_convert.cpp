// Compare, select and convert in registers. At avx512 a mask is one bit per lane, elsewhere one
// i32 of all ones or zeros per lane, whatever the width of what was compared.
#include <fmt/format.h>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_native.h"

namespace nnc::codegen {

using kernel::Op;
using kernel::Scalar;
using kernel::Type;

namespace {

const char* symbol_of(Op op) {
  switch (op) {
    case Op::eq: return "==";
    case Op::ne: return "!=";
    case Op::lt: return "<";
    case Op::le: return "<=";
    case Op::gt: return ">";
    default: return ">=";
  }
}

// Quiet comparisons, ordered but for `ne`; of integers by name.
const char* float_predicate(Op op) {
  switch (op) {
    case Op::eq: return "_CMP_EQ_OQ";
    case Op::ne: return "_CMP_NEQ_UQ";
    case Op::lt: return "_CMP_LT_OQ";
    case Op::le: return "_CMP_LE_OQ";
    case Op::gt: return "_CMP_GT_OQ";
    default: return "_CMP_GE_OQ";
  }
}

const char* integer_predicate(Op op) {
  switch (op) {
    case Op::eq: return "cmpeq";
    case Op::ne: return "cmpneq";
    case Op::lt: return "cmplt";
    case Op::le: return "cmple";
    case Op::gt: return "cmpgt";
    default: return "cmpge";
  }
}

}  // namespace

std::string CppNative::wide_mask(Type type, const std::string& mask) {
  const std::string bits = integer_register(type);
  if (type.scalar == Scalar::i32 || type.scalar == Scalar::f32) return as(bits, mask + ".bits");
  const std::string narrow = integer_register(type.with(Scalar::i32));
  if (type.lanes == 2) {
    return fmt::format("_mm_cvtepi32_epi64(_mm_set_epi32(0, 0, {0}.bits[1], {0}.bits[0]))", mask);
  }
  return fmt::format("_mm256_cvtepi32_epi64({})", as(narrow, mask + ".bits"));
}

std::string CppNative::compare(Op op, Type operand) {
  if (has_bit_masks()) {
    const std::string p = prefix(operand);
    if (p.empty()) return "";
    if (operand.is_float()) {
      return fmt::format("return {{{}cmp_{}_mask(a, b, {})}};", p, suffix(operand),
                         float_predicate(op));
    }
    const std::string r = integer_register(operand);
    const std::string s = operand.scalar == Scalar::u8 ? "epu8" : suffix(operand);
    return fmt::format("return {{{}{}_{}_mask({}, {})}};", p, integer_predicate(op), s, as(r, "a"),
                       as(r, "b"));
  }
  const int bytes = kernel::bytes_of(operand.scalar);
  if (bytes == 4) return fmt::format("return {{a {} b}};", symbol_of(op));
  if (bytes == 1) return "";
  const std::string bits = helpers_.type(operand.with(Scalar::i32));
  const std::string wide = helpers_.type(operand.with(Scalar::i64));
  return fmt::format("const {0} wide = a {1} b;\nreturn {{__builtin_convertvector(wide, {2})}};",
                     wide, symbol_of(op), bits);
}

std::string CppNative::select(Type type) {
  if (type.scalar == Scalar::i1) {
    const std::string bits =
        has_bit_masks() ? mask_register(type.lanes) : helpers_.type(type.with(Scalar::i32));
    return fmt::format("return {{static_cast<{}>((a.bits & b.bits) | (~a.bits & c.bits))}};", bits);
  }
  const std::string p = prefix(type), s = suffix(type), name = helpers_.type(type);
  const bool is_float = type.is_float();
  const std::string r = is_float ? "" : integer_register(type);
  const std::string b = is_float ? "b" : as(r, "b"), c = is_float ? "c" : as(r, "c");
  if (has_bit_masks() && !p.empty()) {
    const std::string value = fmt::format("{}mask_blend_{}(a.bits, {}, {})", p, s, c, b);
    return fmt::format("return {};", is_float ? value : as(name, value));
  }
  if (has_bit_masks() || type.scalar == Scalar::u8) return "";
  if (!p.empty()) {
    const std::string mask = wide_mask(type, "a");
    if (is_float) {
      const std::string float_register =
          fmt::format("__m{}{}", 8 * bytes_of(type), type.scalar == Scalar::f64 ? "d" : "");
      return fmt::format("return {}blendv_{}(c, b, {});", p, s, as(float_register, mask));
    }
    return fmt::format("return {};",
                       as(name, fmt::format("{}blendv_epi8({}, {}, {})", p, c, b, mask)));
  }
  const Type bits_type = type.with(kernel::bytes_of(type.scalar) == 4 ? Scalar::i32 : Scalar::i64);
  const std::string bits = helpers_.type(bits_type);
  const std::string mask = bits_type.scalar == Scalar::i32
                               ? "a.bits"
                               : fmt::format("__builtin_convertvector(a.bits, {})", bits);
  return fmt::format(
      "const {} mask = {};\nreturn {};", bits, mask,
      as(name, fmt::format("(mask & {}) | (~mask & {})", as(bits, "b"), as(bits, "c"))));
}

std::string CppNative::convert(Type result, Type operand) {
  if (operand.scalar == Scalar::i1) {
    const auto number = [&](double value) {
      return CppValue{result, helpers_.splat(result, result.is_float()
                                                         ? cpp_float(result.scalar, value)
                                                         : cpp_integer(result.scalar, value != 0))};
    };
    return "return " + helpers_.apply(Op::select, result, {{operand, "a"}, number(1), number(0)}) +
           ";";
  }
  if (result.scalar == Scalar::i1) {
    const CppValue zero{
        operand, helpers_.splat(operand, operand.is_float() ? cpp_float(operand.scalar, 0)
                                                            : cpp_integer(operand.scalar, 0))};
    return "return " + helpers_.apply(Op::ne, result, {{operand, "a"}, zero}) + ";";
  }
  const std::string intrinsic = convert_intrinsic(result, operand);
  if (!intrinsic.empty()) return intrinsic;
  // u8 and floats by way of i32, which holds every u8 exactly.
  if ((operand.scalar == Scalar::u8 && result.scalar != Scalar::i32) ||
      (result.scalar == Scalar::u8 && operand.scalar != Scalar::i32)) {
    const Type middle = operand.with(Scalar::i32);
    if (helpers_.form(middle) != CppForm::native) return "";
    const CppValue number{middle, helpers_.apply(Op::convert, middle, {{operand, "a"}})};
    return "return " + helpers_.apply(Op::convert, result, {number}) + ";";
  }
  return fmt::format("return __builtin_convertvector(a, {});", helpers_.type(result));
}

// Where compilers turn __builtin_convertvector into one move per lane.
std::string CppNative::convert_intrinsic(Type result, Type operand) {
  const std::string p = prefix(result), q = prefix(operand);
  if (!is_x86() || p.empty() || q.empty()) return "";
  const std::string name = helpers_.type(result);
  const auto from = [&] { return as(integer_register(operand), "a"); };
  const auto is = [&](Scalar a, Scalar b) { return operand.scalar == a && result.scalar == b; };
  if (is(Scalar::f32, Scalar::f64)) return fmt::format("return {}cvtps_pd(a);", p);
  if (is(Scalar::f64, Scalar::f32)) return fmt::format("return {}cvtpd_ps(a);", q);
  if (is(Scalar::i32, Scalar::f64)) return fmt::format("return {}cvtepi32_pd({});", p, from());
  if (is(Scalar::f64, Scalar::i32)) {
    return fmt::format("return {};", as(name, q + "cvttpd_epi32(a)"));
  }
  if (is(Scalar::i32, Scalar::i64)) {
    return fmt::format("return {};", as(name, p + "cvtepi32_epi64(" + from() + ")"));
  }
  if (is(Scalar::u8, Scalar::i32)) {
    return fmt::format("return {};", as(name, p + "cvtepu8_epi32(" + from() + ")"));
  }
  if (has_bit_masks() && is(Scalar::i64, Scalar::i32)) {
    return fmt::format("return {};", as(name, q + "cvtepi64_epi32(" + from() + ")"));
  }
  if (has_bit_masks() && is(Scalar::i64, Scalar::f64)) {
    return fmt::format("return {}cvtepi64_pd({});", p, from());
  }
  return "";
}

}  // namespace nnc::codegen
