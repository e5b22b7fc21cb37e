// Integers and masks in registers. Integer lanes are signed types; arithmetic goes through their
// unsigned twins, because kernel IR wraps and C++ does not.
#include <fmt/format.h>

#include "compiler/codegen/cpp_native.h"

namespace nnc::codegen {

using kernel::Op;
using kernel::Scalar;
using kernel::Type;

namespace {

const char* symbol_of(Op op) {
  switch (op) {
    case Op::add: return "+";
    case Op::sub: return "-";
    case Op::mul: return "*";
    case Op::div: return "/";
    case Op::rem: return "%";
    case Op::bit_and: return "&";
    case Op::bit_or: return "|";
    case Op::bit_xor: return "^";
    case Op::shift_left: return "<<";
    case Op::shift_right:
    case Op::shift_right_signed: return ">>";
    default: return nullptr;
  }
}

bool works_on_signed(Op op) {
  return op == Op::div || op == Op::rem || op == Op::shift_right_signed;
}

}  // namespace

std::string CppNative::integer_body(Op op, Type type) {
  const std::string name = helpers_.type(type);
  const char* symbol = symbol_of(op);
  if (type.scalar == Scalar::u8 && works_on_signed(op)) return "";
  if (symbol && works_on_signed(op)) return fmt::format("return a {} b;", symbol);
  const std::string bits = helpers_.unsigned_twin(type);
  if (symbol) {
    return fmt::format("return {};",
                       as(name, fmt::format("{} {} {}", as(bits, "a"), symbol, as(bits, "b"))));
  }
  switch (op) {
    case Op::neg: return fmt::format("return {};", as(name, bits + "{} - " + as(bits, "a")));
    case Op::abs: {
      if (type.scalar == Scalar::u8) return "";
      // Two's complement: flip the bits of negative numbers and add one.
      return fmt::format(
          "const {0} sign = a >> {1};\nreturn {2};", name, 8 * kernel::bytes_of(type.scalar) - 1,
          as(name, fmt::format("{} - {}", as(bits, "(a ^ sign)"), as(bits, "sign"))));
    }
    case Op::min:
    case Op::max: return integer_extremum(op, type);
    default: return "";
  }
}

std::string CppNative::integer_extremum(Op op, Type type) {
  const std::string p = prefix(type);
  const bool has_intrinsic =
      !p.empty() && (type.scalar == Scalar::i32 || (type.scalar == Scalar::i64 && has_bit_masks()));
  if (!has_intrinsic) {
    const CppValue a{type, "a"}, b{type, "b"};
    const Type mask = type.with(Scalar::i1);
    const std::string other_wins = helpers_.apply(
        Op::lt, mask, op == Op::min ? std::vector<CppValue>{b, a} : std::vector<CppValue>{a, b});
    return "return " + helpers_.apply(Op::select, type, {{mask, other_wins}, b, a}) + ";";
  }
  const std::string r = integer_register(type);
  return fmt::format(
      "return {};",
      as(helpers_.type(type), fmt::format("{}{}_{}({}, {})", p, op == Op::min ? "min" : "max",
                                          suffix(type), as(r, "a"), as(r, "b"))));
}

std::string CppNative::mask_body(Op op, Type type) {
  const bool equal = op == Op::eq;
  const char* symbol = equal || op == Op::ne ? "^" : symbol_of(op);
  if (!symbol) return "";
  if (!has_bit_masks())
    return fmt::format("return {{{}(a.bits {} b.bits)}};", equal ? "~" : "", symbol);
  const std::string bits = mask_register(type.lanes);
  const uint64_t all = type.lanes == 64 ? ~uint64_t{0} : (uint64_t{1} << type.lanes) - 1;
  std::string value = fmt::format("a.bits {} b.bits", symbol);
  if (equal) value = fmt::format("~({}) & UINT64_C({:#x})", value, all);
  return fmt::format("return {{static_cast<{}>({})}};", bits, value);
}

}  // namespace nnc::codegen
