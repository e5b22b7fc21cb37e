#include "compiler/support/expression.h"

#include <fmt/format.h>

#include "compiler/support/text.h"

namespace nnc {

namespace {

// How tightly an operator binds; a larger number binds tighter. The parser uses the same order.
int precedence(const Expression& e) {
  using Kind = Expression::Kind;
  if (e.kind == Kind::unary) return e.text == "not" ? 3 : 7;
  if (e.kind == Kind::number && e.number < 0) return 7;
  if (e.kind != Kind::binary) return 10;
  if (e.text == "or") return 1;
  if (e.text == "and") return 2;
  if (e.text == "+" || e.text == "-") return 5;
  if (e.text == "*" || e.text == "/" || e.text == "@") return 6;
  if (e.text == "^") return 8;
  return 4;
}

std::string wrapped(const Expression& e, bool parentheses) {
  const std::string text = to_string(e);
  return parentheses ? "(" + text + ")" : text;
}

std::string binary(const Expression& e) {
  const int own = precedence(e);
  const Expression& left = *e.operands[0];
  const Expression& right = *e.operands[1];
  // Powers group from the right, comparisons do not chain, all else groups from the left.
  const bool power = e.text == "^";
  const bool left_parentheses =
      precedence(left) < own || (precedence(left) == own && (power || own == 4));
  const bool minus_exponent = power && precedence(right) == 7;
  const bool right_parentheses =
      !minus_exponent && (precedence(right) < own || (precedence(right) == own && !power));
  const std::string sign = power ? "^" : " " + e.text + " ";
  return wrapped(left, left_parentheses) + sign + wrapped(right, right_parentheses);
}

std::string slice_item(const SliceItem& item) {
  if (item.kind == SliceItem::Kind::ellipsis) return "...";
  const std::string begin = item.begin ? std::to_string(*item.begin) : "";
  if (item.kind == SliceItem::Kind::index) return begin;
  const std::string range = begin + ":" + (item.end ? std::to_string(*item.end) : "");
  return item.step ? range + ":" + std::to_string(*item.step) : range;
}

template <class Items, class Print>
std::string separated(const Items& items, Print print) {
  std::string result;
  for (const auto& item : items) {
    if (!result.empty()) result += ", ";
    result += print(item);
  }
  return result;
}

std::string call(const Expression& e) {
  const auto print = [](const ExpressionPtr& operand) { return to_string(*operand); };
  std::string inside = separated(e.operands, print);
  for (const NamedOperand& named : e.named) {
    if (!inside.empty()) inside += ", ";
    inside += named.name + "=" + to_string(*named.value);
  }
  return e.text + "(" + inside + ")";
}

}  // namespace

std::string to_string(const Expression& e) {
  using Kind = Expression::Kind;
  const auto print = [](const ExpressionPtr& operand) { return to_string(*operand); };
  switch (e.kind) {
    case Kind::number: return number_text(e.number);
    case Kind::text: return "'" + e.text + "'";
    case Kind::name: return e.text;
    case Kind::list: return "[" + separated(e.operands, print) + "]";
    case Kind::binary: return binary(e);
    case Kind::call: return call(e);
    case Kind::unary: {
      const std::string inner = wrapped(*e.operands[0], precedence(*e.operands[0]) < precedence(e));
      return e.text == "not" ? "not " + inner : e.text + inner;
    }
    case Kind::slice: {
      const std::string inner = wrapped(*e.operands[0], precedence(*e.operands[0]) < 10);
      return inner + "[" + separated(e.slices, slice_item) + "]";
    }
  }
  return {};
}

}  // namespace nnc
