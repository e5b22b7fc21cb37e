// Arithmetic on constants, by the ops' own reference evaluation.
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Node;
using ir::Value;

namespace {

// The value of an elementwise node whose operands are all uniform constants.
bool fold(const Node& node, double& number) {
  if (node.op->family != ir::Family::elementwise || node.operands.empty() || !node.op->pure ||
      is_op(&node, "copy"))
    return false;
  std::vector<ir::Tensor> operands;
  for (const Value* operand : node.operands) {
    double value = 0;
    if (!uniform_constant(operand, value)) return false;
    operands.push_back({{}, {value}});
  }
  std::vector<ir::Tensor> results{{{}, {0.0}}};
  std::vector<const ir::Tensor*> pointers;
  for (const auto& operand : operands) pointers.push_back(&operand);
  ir::EvalContext context{.node = node, .operands = pointers, .results = results};
  node.op->eval(context);
  number = results[0].data[0];
  return true;
}

}  // namespace

bool fold_constants(ir::Graph& graph) {
  return rewrite(graph, [](Node& node, ir::Builder& b) -> Value* {
    const ir::Type& type = node.result()->type;
    double number = 0;
    if (fold(node, number)) return b.constant(number, type.dtype, type.shape);
    // A moved uniform constant is a uniform constant of the new shape.
    if (node.op->family == ir::Family::movement && uniform_constant(node.result(), number))
      return b.constant(number, type.dtype, type.shape);
    return nullptr;
  });
}

}  // namespace nnc::passes
