// A number in a formula that changes while training.
#include "compiler/layers/formula_function.h"
#include "compiler/support/text.h"

namespace nnc::layers {

namespace {

// The runtime scalar "ramp:FROM:TO:LENGTH:epochs" (or steps), see runtime/abi.h. Everywhere but in
// training it is the last number, so that figures of different epochs compare.
Operand build_ramp(FormulaContext& context, const Expression& call) {
  const double from = constant_operand(*call.operands[0]);
  const double to = constant_operand(*call.operands[1]);
  if (call.named.size() != 1) {
    throw UserError(call.span, "a ramp has one length",
                    "epochs= or steps=", call.named.empty() ? "none" : "both");
  }
  const NamedOperand& length = call.named[0];
  const double time = constant_operand(*length.value);
  if (!(time > 0)) {
    throw UserError(length.value->span, "a ramp takes time", "a number above 0", number_text(time));
  }
  if (context.mode != Mode::train) return {context.b.constant(to, context.dtype)};
  const std::string name = "ramp:" + number_text(from) + ":" + number_text(to) + ":" +
                           number_text(time) + ":" + length.name;
  ir::Graph& graph = context.b.graph();
  if (ir::Value* known = graph.find_param(ir::ParamKind::scalar, name)) return {known};
  return {graph.add_param(ir::ParamKind::scalar, "ramp", {context.dtype, {}}, name)};
}

}  // namespace

std::vector<FormulaFunction> ramp_functions() {
  return {{.name = "ramp",
           .operands = "from, to, epochs=",
           .doc = "while training from one number to the other in so many epochs=, or steps=, "
                  "then the other; elsewhere the other",
           .least = 2,
           .most = 2,
           .named = {"epochs", "steps"},
           .build = build_ramp}};
}

}  // namespace nnc::layers
