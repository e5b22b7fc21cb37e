// Index arithmetic of emitted C++: addresses and loop bounds, which a reader should follow easily.
#include <algorithm>
#include <optional>

#include "compiler/codegen/cpp_function.h"

namespace nnc::codegen {

using kernel::Instruction;
using kernel::Op;
using kernel::Scalar;
using kernel::Type;
using kernel::Value;

namespace {

constexpr Type index_type{Scalar::i64, 1};

// What index arithmetic on two constants gives; nothing where that would be undefined.
std::optional<int64_t> fold(Op op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
    case Op::add:
      return __builtin_add_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case Op::sub:
      return __builtin_sub_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case Op::mul:
      return __builtin_mul_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case Op::min: return std::min(a, b);
    case Op::max: return std::max(a, b);
    default: return std::nullopt;
  }
}

}  // namespace

// Addresses and loop bounds: plain operators, in place where used once. They never overflow;
// other i64 arithmetic (hashes, counters) wraps and goes through helpers.
bool CppFunctionPrinter::index_arithmetic(const Instruction& item) {
  if (item.type != index_type || item.operands.size() != 2) return false;
  const Value a = item.operands[0], b = item.operands[1], result = item.results[0];
  if (!indices_.count(a.id) || !indices_.count(b.id)) return false;
  if (simplify(item)) return true;
  std::string text;
  Strength strength = Strength::product;
  switch (item.op) {
    case Op::add: text = tight(a, Strength::sum) + " + " + tight(b, Strength::sum); break;
    case Op::sub: text = tight(a, Strength::sum) + " - " + tight(b, Strength::product); break;
    case Op::mul: text = tight(a, Strength::product) + " * " + tight(b, Strength::atom); break;
    case Op::div: text = tight(a, Strength::product) + " / " + tight(b, Strength::atom); break;
    case Op::rem: text = tight(a, Strength::product) + " % " + tight(b, Strength::atom); break;
    case Op::min:
    case Op::max:
      indices_.insert(result.id);
      define(result, helpers_.apply(item.op, item.type, {value(a), value(b)}));
      return true;
    default: return false;
  }
  if (item.op == Op::add || item.op == Op::sub) strength = Strength::sum;
  indices_.insert(result.id);
  if (live_.uses(result) == 1 && !yielded_.count(result.id) && text.size() < 48) {
    texts_[result.id] = {text, strength};
  } else {
    define(result, text);
  }
  return true;
}

// Constants are folded, and `x + 0`, `x - 0`, `x * 1` and `x / 1` are x: schedules leave such terms
// behind, and a reader need not see them.
bool CppFunctionPrinter::simplify(const Instruction& item) {
  const Value a = item.operands[0], b = item.operands[1], result = item.results[0];
  const auto left = integers_.find(a.id), right = integers_.find(b.id);
  const bool left_known = left != integers_.end(), right_known = right != integers_.end();
  if (left_known && right_known) {
    const auto folded = fold(item.op, left->second, right->second);
    if (folded) {
      integers_[result.id] = *folded;
      indices_.insert(result.id);
    }
    return folded.has_value();
  }
  // A yielded value keeps a name of its own: carried values change one after the other.
  if (yielded_.count(result.id)) return false;
  const bool sum = item.op == Op::add, product = item.op == Op::mul;
  const int64_t neutral = sum || item.op == Op::sub ? 0 : 1;
  const bool undoes = sum || product || item.op == Op::sub || item.op == Op::div;
  if (undoes && right_known && right->second == neutral) return same_as(result, a);
  if ((sum || product) && left_known && left->second == neutral) return same_as(result, b);
  return false;
}

bool CppFunctionPrinter::same_as(Value result, Value other) {
  texts_[result.id] = texts_.at(other.id);
  if (indices_.count(other.id)) indices_.insert(result.id);
  return true;
}

}  // namespace nnc::codegen
