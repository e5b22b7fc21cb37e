#include "tools/workbench/random_formula.h"

#include <fmt/format.h>

#include "compiler/support/diagnostics.h"
#include "runtime/shape.h"

namespace nnc::workbench {

namespace {

using Kind = Expression::Kind;

ExpressionPtr make(Kind kind, const std::string& text, const SourceSpan& span,
                   std::vector<ExpressionPtr> operands = {}) {
  auto result = std::make_shared<Expression>();
  result->kind = kind;
  result->text = text;
  result->span = span;
  result->operands = std::move(operands);
  return result;
}

ExpressionPtr binary(const std::string& sign, ExpressionPtr a, ExpressionPtr b) {
  const SourceSpan span = a->span;
  return make(Kind::binary, sign, span, {std::move(a), std::move(b)});
}

std::vector<int64_t> shape_of(const Expression& list) {
  std::vector<int64_t> shape;
  for (const ExpressionPtr& item : list.operands) {
    const bool fits = item->kind == Kind::number && item->number >= 1 &&
                      item->number <= static_cast<double>(most_elements);
    const int64_t size = fits ? static_cast<int64_t>(item->number) : 0;
    if (!fits || static_cast<double>(size) != item->number) {
      throw UserError(item->span, "a shape is a list of whole numbers", "[2] or [3, 4]",
                      to_string(*item));
    }
    shape.push_back(size);
  }
  return shape;
}

// The replacement of one call; its operands have been treated already.
ExpressionPtr replace(const Expression& call, const std::string& prefix, std::vector<Draw>& draws) {
  Draw draw;
  draw.name = fmt::format("{}#{}", prefix, draws.size());
  draw.normal = call.text == "normal";
  std::vector<ExpressionPtr> numbers = call.operands;
  if (!numbers.empty() && numbers.back()->kind == Kind::list) {
    draw.shape = shape_of(*numbers.back());
    numbers.pop_back();
  }
  if (!call.named.empty() || (numbers.size() != 0 && numbers.size() != 2)) {
    throw UserError(call.span, fmt::format("'{}' is given the wrong values", call.text),
                    draw.normal ? "normal(), normal(mean, deviation) or normal([3]) for a vector"
                                : "uniform(), uniform(low, high) or uniform(0, 1, [3])",
                    to_string(call));
  }
  const ExpressionPtr drawn = make(Kind::name, draw.name, call.span);
  draws.push_back(std::move(draw));
  if (numbers.empty()) return drawn;
  const bool normal = draws.back().normal;
  const ExpressionPtr width = normal ? numbers[1] : binary("-", numbers[1], numbers[0]);
  return binary("+", numbers[0], binary("*", width, drawn));
}

}  // namespace

ExpressionPtr take_out_draws(const ExpressionPtr& expression, const std::string& prefix,
                             std::vector<Draw>& draws) {
  auto copy = std::make_shared<Expression>(*expression);
  for (ExpressionPtr& operand : copy->operands) operand = take_out_draws(operand, prefix, draws);
  for (NamedOperand& operand : copy->named) {
    operand.value = take_out_draws(operand.value, prefix, draws);
  }
  if (copy->kind == Kind::call && (copy->text == "uniform" || copy->text == "normal")) {
    return replace(*copy, prefix, draws);
  }
  return copy;
}

}  // namespace nnc::workbench
