// a*b + c becomes muladd(a, b, c) where nothing else needs the product: the only place where a
// fused multiply-add is introduced, so that LLVM code and emitted C++ round alike.
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;

bool form_muladd(ir::Graph& graph) {
  std::map<const Value*, int> uses;
  for (const auto& node : graph.nodes)
    for (const Value* operand : node->operands) ++uses[operand];
  for (const auto& output : graph.outputs) ++uses[output.value];
  auto product = [&](const Value* v) {
    return is_op(v, "mul") && v->type.is_float() && uses[v] == 1 ? v->node : nullptr;
  };
  return rewrite(graph, [&](Node& node, Builder& b) -> Value* {
    if (is_op(&node, "add")) {
      if (const Node* m = product(node.operands[1]))
        return b.op("muladd", {m->operands[0], m->operands[1], node.operands[0]});
      if (const Node* m = product(node.operands[0]))
        return b.op("muladd", {m->operands[0], m->operands[1], node.operands[1]});
    }
    if (is_op(&node, "sub"))
      if (const Node* m = product(node.operands[1]))
        return b.op("muladd", {b.neg(m->operands[0]), m->operands[1], node.operands[0]});
    return nullptr;
  });
}

}  // namespace nnc::passes
