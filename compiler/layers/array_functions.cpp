// Functions of formulas that put the numbers of a row into another order or shape.
#include "compiler/layers/formula_function.h"
#include "compiler/layers/rows.h"

namespace nnc::layers {

namespace {

using Kind = Expression::Kind;

// As in NumPy: without `axes` the order of all axes is reversed.
Operand build_transpose(FormulaContext& context, const Expression& call) {
  ir::Value* x = build_number(context, *call.operands[0]);
  const std::vector<int64_t> axes = all_row_axes(x);
  std::vector<int64_t> order;
  if (per_row(x)) order.push_back(0);
  order.insert(order.end(), axes.rbegin(), axes.rend());
  return {context.b.transpose(x, order)};
}

Operand build_reshape(FormulaContext& context, const Expression& call) {
  ir::Value* x = build_number(context, *call.operands[0]);
  const std::vector<int64_t> shape = build_shape(context, *call.operands[1]);
  if (elements(shape) != elements(row_shape(x))) {
    throw UserError(
        call.operands[1]->span, "a value keeps all its numbers under another shape",
        std::to_string(elements(row_shape(x))) + " numbers, as in " + shape_text(row_shape(x)),
        std::to_string(elements(shape)) + " in " + shape_text(shape));
  }
  return {reshape_row(context.b, x, shape)};
}

// The axis of a row along which values are joined.
int64_t joined_axis(const Expression& call, const ir::Value* first) {
  if (row_shape(first).empty()) {
    throw UserError(call.operands[0]->span, "single numbers have no axis to be joined along",
                    "[a, b] alone, which makes a vector of them");
  }
  if (named_operand(call, "axis") == nullptr) return all_row_axes(first).back();
  const std::vector<int64_t> axes = axes_of(call, first);
  if (axes.size() != 1) throw UserError(call.span, "concat joins along one axis");
  return axes[0];
}

Operand build_concat(FormulaContext& context, const Expression& call) {
  const Expression& list = *call.operands[0];
  if (list.kind != Kind::list || list.operands.empty()) {
    throw UserError(list.span, "concat takes a list of values", "concat([a, b], axis=-1)");
  }
  std::vector<ir::Value*> parts;
  bool batch = false;
  for (const ExpressionPtr& item : list.operands) {
    parts.push_back(build_number(context, *item));
    batch = batch || per_row(parts.back());
  }
  for (ir::Value*& part : parts) part = spread(context.b, part, row_shape(part), batch);
  const int64_t axis = joined_axis(call, parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    std::vector<int64_t> row = row_shape(parts[i]);
    std::vector<int64_t> first = row_shape(parts[0]);
    const auto place = static_cast<size_t>(axis - (batch ? 1 : 0));
    if (row.size() == first.size()) row[place] = first[place];
    if (row == first) continue;
    throw UserError(list.operands[i]->span, "the values do not fit beside each other",
                    "the extents of " + shape_text(first) + " in every axis but the joined one",
                    shape_text(row_shape(parts[i])));
  }
  return {context.b.concat(parts, axis)};
}

}  // namespace

std::vector<FormulaFunction> array_functions() {
  return {
      {.name = "transpose",
       .operands = "x",
       .doc = "the axes of the row in reverse order",
       .build = build_transpose},
      {.name = "reshape",
       .operands = "x, shape",
       .doc = "the same numbers under the row shape [n, m] or shape(y)",
       .least = 2,
       .most = 2,
       .build = build_reshape},
      {.name = "concat",
       .operands = "[a, b], axis=-1",
       .doc = "values one behind the other along an axis",
       .named = {"axis"},
       .build = build_concat},
      {.name = "shape",
       .operands = "x",
       .doc = "the row shape of x, where a shape is expected: normal(shape(x))",
       .build = [](FormulaContext&, const Expression& call) -> Operand {
         throw UserError(call.span, "a shape is not a number",
                         "normal(shape(x)), uniform(shape(x)) or reshape(y, shape(x))");
       }},
  };
}

}  // namespace nnc::layers
