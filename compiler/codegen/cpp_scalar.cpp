#include "compiler/codegen/cpp_scalar.h"

#include <fmt/format.h>

#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

using kernel::Op;
using kernel::Scalar;
using kernel::Type;

namespace {

const char* compare_symbol(Op op) {
  switch (op) {
    case Op::eq: return "==";
    case Op::ne: return "!=";
    case Op::lt: return "<";
    case Op::le: return "<=";
    case Op::gt: return ">";
    case Op::ge: return ">=";
    default: return nullptr;
  }
}

const char* bit_symbol(Op op, Scalar scalar) {
  const bool truth = scalar == Scalar::i1;
  switch (op) {
    case Op::bit_and: return truth ? "&&" : "&";
    case Op::bit_or: return truth ? "||" : "|";
    case Op::bit_xor: return truth ? "!=" : "^";
    default: return nullptr;
  }
}

const char* math_function(Op op) {
  switch (op) {
    case Op::abs: return "fabs";
    case Op::sqrt: return "sqrt";
    case Op::floor: return "floor";
    case Op::round_even: return "nearbyint";
    case Op::muladd: return "fma";
    default: return nullptr;
  }
}

// Where vectors are there are builtins. The inline functions of <cmath> were compiled with other
// options than the kernels, and stay calls.
std::string float_function(CppLevel level, Op op, Scalar scalar) {
  const char* name = math_function(op);
  if (name == nullptr) return "";
  if (!is_vector_text(level)) return std::string("std::") + name;
  return std::string("__builtin_") + name + (scalar == Scalar::f32 ? "f" : "");
}

std::string unsigned_name(Scalar scalar) {
  return fmt::format("std::uint{}_t", 8 * kernel::bytes_of(scalar));
}

// Integer arithmetic that wraps: in the unsigned type, and back.
std::string wrapping(Scalar scalar, const std::string& expression) {
  const std::string u = unsigned_name(scalar);
  return fmt::format(
      "const {0} x = static_cast<{0}>(a);\nconst {0} y = static_cast<{0}>(b);\n"
      "return static_cast<{1}>({2});",
      u, kernel::name_of(scalar), expression);
}

std::string integer_body(Op op, Scalar scalar) {
  const std::string name = kernel::name_of(scalar), u = unsigned_name(scalar);
  switch (op) {
    case Op::add: return wrapping(scalar, "x + y");
    case Op::sub: return wrapping(scalar, "x - y");
    case Op::mul: return wrapping(scalar, "x * y");
    case Op::bit_and: return wrapping(scalar, "x & y");
    case Op::bit_or: return wrapping(scalar, "x | y");
    case Op::bit_xor: return wrapping(scalar, "x ^ y");
    case Op::shift_left: return wrapping(scalar, "x << y");
    case Op::shift_right: return wrapping(scalar, "x >> y");
    case Op::shift_right_signed:
      if (scalar == Scalar::u8) return "return static_cast<u8>(static_cast<signed char>(a) >> b);";
      return "return a >> b;";
    case Op::div: return fmt::format("return static_cast<{}>(a / b);", name);
    case Op::rem: return fmt::format("return static_cast<{}>(a % b);", name);
    case Op::neg: return fmt::format("return static_cast<{}>(0 - static_cast<{}>(a));", name, u);
    case Op::abs:
      if (scalar == Scalar::u8) return "return a;";
      return fmt::format("return a < 0 ? static_cast<{}>(0 - static_cast<{}>(a)) : a;", name, u);
    case Op::mul_high:
      return "const std::uint64_t x = static_cast<std::uint32_t>(a);\n"
             "const std::uint64_t y = static_cast<std::uint32_t>(b);\n"
             "return static_cast<i32>(static_cast<std::uint32_t>((x * y) >> 32));";
    case Op::popcount:
      return fmt::format(
          "{0} rest = static_cast<{0}>(a);\n{1} count = 0;\n"
          "for (; rest != 0; rest = static_cast<{0}>(rest & (rest - 1))) ++count;\n"
          "return count;",
          u, name);
    default: break;
  }
  throw InternalError(std::string("internal error: C++ text of integer ") + kernel::name_of(op));
}

// bf16 is the upper half of a float. To it: rounded to nearest even, a NaN made quiet.
std::string bf16_body(Scalar result, Scalar operand) {
  if (operand == Scalar::bf16) {
    const std::string widen =
        "const std::uint32_t bits = static_cast<std::uint32_t>(a) << 16;\nfloat value;\n"
        "std::memcpy(&value, &bits, sizeof value);\n";
    if (result == Scalar::i1) return widen + "return value != 0;";
    if (result == Scalar::u8)
      return widen + "return static_cast<u8>(static_cast<std::int32_t>(value));";
    return widen + fmt::format("return static_cast<{}>(value);", kernel::name_of(result));
  }
  return "const float value = static_cast<float>(a);\nstd::uint32_t bits;\n"
         "std::memcpy(&bits, &value, sizeof bits);\n"
         "if (value != value) return static_cast<bf16>(bits >> 16 | 0x40u);\n"
         "return static_cast<bf16>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);";
}

}  // namespace

std::string muladd_if_fast(const std::string& type, const std::string& fused) {
  return fmt::format(
      "#if defined(__FP_FAST_FMAF) || defined(__FMA__) || "
      "defined(__ARM_FEATURE_FMA)\nreturn {};\n#else\nconst {} product = a * b;\n"
      "return product + c;\n#endif",
      fused, type);
}

std::string scalar_expression(CppLevel level, Op op, Type result, Type operand,
                              const std::vector<std::string>& arguments) {
  const std::string& a = arguments[0];
  if (const char* symbol = compare_symbol(op)) {
    return fmt::format("{} {} {}", a, symbol, arguments[1]);
  }
  if (const char* symbol = bit_symbol(op, operand.scalar); symbol && operand.scalar != Scalar::u8) {
    return fmt::format("{} {} {}", a, symbol, arguments[1]);
  }
  if (op == Op::select) return fmt::format("{} ? {} : {}", a, arguments[1], arguments[2]);
  if (op == Op::convert) {
    if (operand.scalar == Scalar::bf16 || result.scalar == Scalar::bf16) return "";
    if (result.scalar == Scalar::i1) return fmt::format("{} != 0", a);
    if (result.scalar == Scalar::u8 && operand.is_float()) {
      return fmt::format("static_cast<u8>(static_cast<std::int32_t>({}))", a);
    }
    return fmt::format("static_cast<{}>({})", kernel::name_of(result.scalar), a);
  }
  if (operand.is_float()) {
    const std::string name = float_function(level, op, operand.scalar);
    if (name.empty() || (op == Op::muladd && level < CppLevel::avx2)) return "";
    if (op == Op::muladd) return fmt::format("{}({}, {}, {})", name, a, arguments[1], arguments[2]);
    return fmt::format("{}({})", name, a);
  }
  const bool wide = operand.scalar == Scalar::i32 || operand.scalar == Scalar::i64;
  if (op == Op::div && wide) return fmt::format("{} / {}", a, arguments[1]);
  if (op == Op::rem && wide) return fmt::format("{} % {}", a, arguments[1]);
  return "";
}

std::string scalar_body(CppLevel level, Op op, Type result, Type operand) {
  if (op == Op::min) return "return b < a ? b : a;";
  if (op == Op::max) return "return a < b ? b : a;";
  if (op == Op::bitcast) {
    return fmt::format("{} r;\nstd::memcpy(&r, &a, sizeof r);\nreturn r;", cpp_name(result));
  }
  if (op == Op::convert) return bf16_body(result.scalar, operand.scalar);
  if (op == Op::muladd) {
    const bool plain = level == CppLevel::plain;
    const std::string name = cpp_name(operand);
    if (plain) return fmt::format("const {} product = a * b;\nreturn product + c;", name);
    return muladd_if_fast(name, float_function(level, op, operand.scalar) + "(a, b, c)");
  }
  return integer_body(op, operand.scalar);
}

}  // namespace nnc::codegen
