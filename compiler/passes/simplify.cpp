// Drops what does nothing. Each rule looks at one node and its operands; rules keep bits (x*1, x+0)
// except that -0 + 0 may come out as -0.
#include <algorithm>

#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"
#include "compiler/passes/windows.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;

namespace {

Value* simplify_arithmetic(Node& node) {
  const auto& in = node.operands;
  if (is_op(&node, "add")) {
    if (is_constant(in[1], 0)) return in[0];
    if (is_constant(in[0], 0)) return in[1];
  }
  if (is_op(&node, "sub") && is_constant(in[1], 0)) return in[0];
  if (is_op(&node, "mul")) {
    if (is_constant(in[1], 1)) return in[0];
    if (is_constant(in[0], 1)) return in[1];
  }
  if (is_op(&node, "div") && is_constant(in[1], 1)) return in[0];
  if (is_op(&node, "neg") && is_op(in[0], "neg")) return in[0]->node->operands[0];
  return nullptr;
}

bool is_identity(const std::vector<int64_t>& order) {
  for (size_t i = 0; i < order.size(); ++i)
    if (order[i] != static_cast<int64_t>(i)) return false;
  return true;
}

Value* simplify_movement(Node& node, Builder& b) {
  Value* in = node.operands.empty() ? nullptr : node.operands[0];
  if (is_op(&node, "reshape")) {
    if (in->type.shape == node.result()->type.shape) return in;
    if (is_op(in, "reshape")) return b.reshape(in->node->operands[0], node.result()->type.shape);
  }
  if (is_op(&node, "broadcast") && in->type.shape == node.result()->type.shape &&
      is_identity(node.attributes.integers("axes")))
    return in;
  if (is_op(&node, "transpose")) {
    const auto& outer = node.attributes.integers("permutation");
    if (is_identity(outer)) return in;
    if (is_op(in, "transpose")) {
      const auto& inner = in->node->attributes.integers("permutation");
      std::vector<int64_t> both;
      for (int64_t axis : outer) both.push_back(inner[static_cast<size_t>(axis)]);
      return b.transpose(in->node->operands[0], both);
    }
  }
  if (is_op(&node, "cast") && in->type == node.result()->type) return in;
  return nullptr;
}

// Axes of one element need no folding: a reshape drops them.
Value* simplify_reduction(Node& node, Builder& b) {
  if (node.op->family != ir::Family::reduction) return nullptr;
  Value* in = node.operands[0];
  const auto& axes = node.attributes.integers("axes");
  std::vector<int64_t> rest;
  ir::Shape kept;
  for (size_t i = 0; i < in->type.shape.size(); ++i) {
    const ir::Dim& dim = in->type.shape[i];
    const bool reduced = std::count(axes.begin(), axes.end(), static_cast<int64_t>(i)) > 0;
    if (reduced && !dim.batch && dim.size == 1) continue;
    if (reduced) rest.push_back(static_cast<int64_t>(kept.size()));
    kept.push_back(dim);
  }
  if (rest.size() == axes.size()) return nullptr;
  Value* squeezed = b.reshape(in, kept);
  if (rest.empty()) return squeezed;
  return b.op(node.op->name, {squeezed}, {{"axes", rest}});
}

}  // namespace

bool simplify(ir::Graph& graph) {
  bool changed = false;
  // Rules uncover each other; the graph is small and a handful of rounds settles it.
  for (int round = 0; round < 8; ++round) {
    const bool again = rewrite(graph, [](Node& node, Builder& b) -> Value* {
      if (Value* v = simplify_arithmetic(node)) return v;
      if (Value* v = simplify_movement(node, b)) return v;
      if (Value* v = simplify_windows(node, b)) return v;
      return simplify_reduction(node, b);
    });
    if (!again) break;
    changed = true;
    graph.remove_dead();
  }
  return changed;
}

bool drop_stops(ir::Graph& graph) {
  return rewrite(graph, [](Node& node, Builder&) -> Value* {
    return is_op(&node, "stop_gradient") ? node.operands[0] : nullptr;
  });
}

}  // namespace nnc::passes
