#include "tools/workbench/drawn.h"

#include <algorithm>

#include "compiler/support/diagnostics.h"
#include "runtime/shape.h"
#include "tools/workbench/generate.h"

namespace nnc::workbench {

namespace {

using Kind = Expression::Kind;

ExpressionPtr shape_list(const std::vector<int64_t>& shape, const SourceSpan& span) {
  auto list = std::make_shared<Expression>();
  list->kind = Kind::list;
  list->span = span;
  for (const int64_t extent : shape) {
    auto number = std::make_shared<Expression>();
    number->span = span;
    number->number = static_cast<double>(extent);
    list->operands.push_back(std::move(number));
  }
  return list;
}

// normal() draws as many numbers as the input has.
ExpressionPtr of_shape(const ExpressionPtr& expression, const std::vector<int64_t>& shape) {
  auto copy = std::make_shared<Expression>(*expression);
  for (ExpressionPtr& operand : copy->operands) operand = of_shape(operand, shape);
  const bool draws =
      copy->kind == Kind::call && (copy->text == "normal" || copy->text == "uniform");
  const bool has_shape = !copy->operands.empty() && copy->operands.back()->kind == Kind::list;
  if (draws && !has_shape && !shape.empty())
    copy->operands.push_back(shape_list(shape, copy->span));
  return copy;
}

Value value_of(int64_t number) {
  Value value;
  value.data = number;
  return value;
}

}  // namespace

std::vector<runtime::InlineField> drawn_fields(const language::Function& function,
                                               const std::vector<abi::InputDesc>& inputs,
                                               int64_t rows, uint64_t seed) {
  Args args;
  args.set("rows", value_of(rows));
  args.set("seed", value_of(static_cast<int64_t>(seed)));
  bool any = false;
  for (const language::NamedFormula& draw : function.draw) {
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const abi::InputDesc& desc) {
      return desc.name == draw.name.text;
    });
    if (input == inputs.end()) continue;
    Formula formula = draw.formula;
    formula.root = of_shape(formula.root, input->row_shape);
    Value value;
    value.data = formula;
    value.span = formula.span;
    args.set(draw.name, value);
    any = true;
  }
  if (!any) return {};
  std::vector<runtime::InlineField> fields = generated_source(args).make();
  for (runtime::InlineField& field : fields) {
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const abi::InputDesc& desc) {
      return desc.name == field.field;
    });
    if (elements_of(field.row_shape) != elements_of(input->row_shape)) {
      throw UserError(function.name.span,
                      "what is drawn for '" + field.field + "' has another shape than the value",
                      "as many numbers", std::to_string(elements_of(field.row_shape)));
    }
    field.row_shape = input->row_shape;
  }
  return fields;
}

}  // namespace nnc::workbench
