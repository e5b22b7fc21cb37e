// Derivatives in formulas.
#include "compiler/layers/formula_function.h"
#include "compiler/layers/rows.h"

namespace nnc::layers {

namespace {

Operand build_grad(FormulaContext& context, const Expression& call) {
  if (context.derivatives == nullptr) {
    throw UserError(call.span, "grad cannot be called here",
                    "layers, outputs, functions and loss terms of a model");
  }
  const Expression& of = *call.operands[0];
  const Expression& by = *call.operands[1];
  ir::Value* y = build_number(context, of);
  if (elements(row_shape(y)) != 1) {
    throw UserError(of.span, "grad takes the derivative of one number per row",
                    "shape []; sum(…) makes one number of many", shape_text(row_shape(y)));
  }
  if (by.kind != Expression::Kind::name) {
    throw UserError(by.span, "grad takes the derivative by a value with a name",
                    "grad(y, x) with x a field or a layer");
  }
  const Operand x = context.scope.find(by.text, by.span);
  if (x.classes > 0) {
    throw UserError(by.span, "nothing has a derivative by an index", "a value of numbers",
                    "an index of " + std::to_string(x.classes) + " classes");
  }
  if (!per_row(x.value)) {
    throw UserError(by.span, "grad takes the derivative by a value of the row",
                    "a field or a layer; training takes those by weights", x.origin);
  }
  return {context.derivatives->derivative(y, of.span, x.value, by.span)};
}

}  // namespace

std::vector<FormulaFunction> derivative_functions() {
  return {{.name = "grad",
           .operands = "y, x",
           .doc = "the derivative of the row's number y by the field or layer x, of the shape of "
                  "x; it can be differentiated again",
           .least = 2,
           .most = 2,
           .build = build_grad}};
}

}  // namespace nnc::layers
