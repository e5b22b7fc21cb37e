#include "compiler/codegen/cpp_native.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_scalar.h"

namespace nnc::codegen {

using kernel::Op;
using kernel::Scalar;
using kernel::Type;

std::string CppNative::prefix(Type type) const {
  if (!is_x86()) return "";
  switch (bytes_of(type)) {
    case 64: return "_mm512_";
    case 32: return "_mm256_";
    case 16: return "_mm_";
    default: return "";
  }
}

std::string CppNative::suffix(Type type) {
  switch (type.scalar) {
    case Scalar::f32: return "ps";
    case Scalar::f64: return "pd";
    case Scalar::i32: return "epi32";
    case Scalar::i64: return "epi64";
    default: return "epi8";
  }
}

std::string CppNative::integer_register(Type type) {
  return fmt::format("__m{}i", 8 * bytes_of(type));
}

std::string CppNative::body(Op op, Type result, const std::vector<Type>& operands) {
  const Type type = operands[0];
  if (type.scalar == Scalar::bf16 || result.scalar == Scalar::bf16) return "";
  if (op >= Op::eq && op <= Op::ge) {
    return type.scalar == Scalar::i1 ? mask_body(op, type) : compare(op, type);
  }
  if (op == Op::select) return select(result);
  if (op == Op::convert) return convert(result, type);
  if (op == Op::bitcast) {
    if (type.scalar == result.scalar) return "return a;";
    return type.scalar == Scalar::i1 || result.scalar == Scalar::i1
               ? ""
               : "return " + as(helpers_.type(result), "a") + ";";
  }
  if (type.scalar == Scalar::i1) return mask_body(op, type);
  return type.is_float() ? float_body(op, type) : integer_body(op, type);
}

namespace {

// Rounds in two exact steps: adding 2^(mantissa bits) leaves no room for a fraction. Numbers that
// large, infinities and NaN are returned as they are, and zeros keep their sign.
std::string round_body(const std::string& name, const std::string& bits, bool single,
                       const std::string& keep_large) {
  const char* sign = single ? "0x80000000u" : "UINT64_C(0x8000000000000000)";
  return fmt::format(
      "const {0} size = absolute(a);\nconst {0} large = splat_{0}({1});\n"
      "const {0} shifted = size + large;\nconst {0} whole = shifted - large;\n"
      "const {2} sign = reinterpret_cast<{2}>(a) & {3};\n"
      "const {0} rounded = reinterpret_cast<{0}>(reinterpret_cast<{2}>(whole) | sign);\n"
      "return {4};",
      name, single ? "0x1p23f" : "0x1p52", bits, sign, keep_large);
}

}  // namespace

std::string CppNative::rounding(Op op, Type type) {
  const std::string name = helpers_.type(type);
  const Type mask = type.with(Scalar::i1);
  if (op == Op::floor) {
    const std::string rounded = helpers_.apply(Op::round_even, type, {{type, "a"}});
    const std::string above = helpers_.apply(Op::lt, mask, {{type, "a"}, {type, "r"}});
    const CppValue one{type, helpers_.splat(type, cpp_float(type.scalar, 1))};
    const std::string lower =
        helpers_.apply(Op::select, type, {{mask, above}, {type, "s"}, {type, "r"}});
    return fmt::format("const {0} r = {1};\nconst {0} s = r - {2};\nreturn {3};", name, rounded,
                       one.text, lower);
  }
  helpers_.apply(Op::abs, type, {{type, "a"}});
  helpers_.splat(type, "0");
  const std::string small = helpers_.apply(Op::lt, mask, {{type, "size"}, {type, "large"}});
  return round_body(
      name, helpers_.unsigned_twin(type), type.scalar == Scalar::f32,
      helpers_.apply(Op::select, type, {{mask, small}, {type, "rounded"}, {type, "a"}}));
}

std::string CppNative::float_body(Op op, Type type) {
  const std::string p = prefix(type), s = suffix(type);
  const std::string name = helpers_.type(type);
  if (op == Op::abs) {
    const std::string bits = helpers_.unsigned_twin(type);
    const char* rest = type.scalar == Scalar::f32 ? "0x7fffffffu" : "UINT64_C(0x7fffffffffffffff)";
    return fmt::format("return {};", as(name, fmt::format("{} & {}", as(bits, "a"), rest)));
  }
  if (p.empty()) return portable_float_body(op, type);
  const char* round = bytes_of(type) == 64 ? "roundscale" : "round";
  switch (op) {
    case Op::sqrt: return fmt::format("return {}sqrt_{}(a);", p, s);
    case Op::floor: return fmt::format("return {}{}_{}(a, 9);", p, round, s);
    case Op::round_even: return fmt::format("return {}{}_{}(a, 8);", p, round, s);
    // Of two unordered values the instruction returns the second, kernel IR the first.
    case Op::min: return fmt::format("return {}min_{}(b, a);", p, s);
    case Op::max: return fmt::format("return {}max_{}(b, a);", p, s);
    case Op::muladd: return fmt::format("return {}fmadd_{}(a, b, c);", p, s);
    default: return "";
  }
}

std::string CppNative::portable_float_body(Op op, Type type) {
  const std::string name = helpers_.type(type);
  const Type mask = type.with(Scalar::i1);
  const CppValue a{type, "a"}, b{type, "b"};
  switch (op) {
    case Op::floor:
    case Op::round_even: return rounding(op, type);
    case Op::min:
    case Op::max: {
      const std::string other_wins = op == Op::min ? helpers_.apply(Op::lt, mask, {b, a})
                                                   : helpers_.apply(Op::lt, mask, {a, b});
      return "return " + helpers_.apply(Op::select, type, {{mask, other_wins}, b, a}) + ";";
    }
    case Op::muladd: {
      if (is_x86()) return "";
      std::vector<std::string> lanes;
      for (int i = 0; i < type.lanes; ++i) {
        lanes.push_back(fmt::format("std::fma(a[{0}], b[{0}], c[{0}])", i));
      }
      return muladd_if_fast(name, fmt::format("{}{{{}}}", name, fmt::join(lanes, ", ")));
    }
    default: return "";
  }
}

}  // namespace nnc::codegen
