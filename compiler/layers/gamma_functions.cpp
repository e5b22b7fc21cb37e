// The gamma function's logarithm and its derivatives in formulas.
#include <cmath>

#include "compiler/layers/formula_function.h"

namespace nnc::layers {

namespace {

constexpr double highest_order = 20;

Operand build_polygamma(FormulaContext& context, const Expression& call) {
  const double order = constant_operand(*call.operands[0]);
  if (order < 0 || order > highest_order || order != std::trunc(order)) {
    throw UserError(call.operands[0]->span, "polygamma(n, x) is the n-th derivative of digamma",
                    "a whole number n from 0 to " + std::to_string(static_cast<int>(highest_order)),
                    to_string(*call.operands[0]));
  }
  ir::Value* x = build_number(context, *call.operands[1]);
  return {context.b.op("polygamma", {x}, {{"order", static_cast<int64_t>(order)}})};
}

}  // namespace

std::vector<FormulaFunction> gamma_functions() {
  return {
      {.name = "lgamma",
       .operands = "x",
       .doc = "log |Γ(x)|; lgamma(n + 1) is log(n!)",
       .build =
           [](FormulaContext& context, const Expression& call) {
             return Operand{context.b.unary("lgamma", build_number(context, *call.operands[0]))};
           }},
      {.name = "digamma",
       .operands = "x",
       .doc = "the derivative of lgamma",
       .build =
           [](FormulaContext& context, const Expression& call) {
             return Operand{context.b.op("polygamma", {build_number(context, *call.operands[0])},
                                         {{"order", int64_t{0}}})};
           }},
      {.name = "polygamma",
       .operands = "n, x",
       .doc = "the n-th derivative of digamma",
       .least = 2,
       .most = 2,
       .build = build_polygamma},
  };
}

}  // namespace nnc::layers
