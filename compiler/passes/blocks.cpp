// The gradient of pooling is made window by window, [b, P, Q, Kh, Kw, C], moved to where the
// windows lie in the picture, [b, P, Kh, Q, Kw, C], seen as the picture [b, H, W, C], and then
// passed through what stands in front of the pooling. The values of a window are repeated over its
// elements, which no strides can say in a picture; so all that would be written out three times.
// Here elementwise nodes move instead: up past the transposition, and down past the reshape, until
// everything is one kernel in the order of memory.
#include <algorithm>
#include <set>

#include "compiler/kernel/views.h"
#include "compiler/passes/axes.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Family;
using ir::Node;
using ir::Shape;
using ir::Value;

namespace {

bool is_elementwise(const Value* value) {
  return value->node && value->node->op->family == Family::elementwise &&
         value->node->results.size() == 1 && value->node->op->name != "copy";
}

Value* constant_of(const Value* value, const Shape& shape, Builder& b) {
  ir::Attributes attributes = value->node->attributes;
  attributes.set("shape", shape);
  return b.op("constant", {}, attributes);
}

class Uses {
 public:
  explicit Uses(const ir::Graph& graph) : users_(ir::users_of(graph)) {
    for (const ir::Output& output : graph.outputs) outputs_.insert(output.value);
  }

  bool one(const Value* value) const {
    auto it = users_.find(value);
    return it != users_.end() && it->second.size() == 1 && !outputs_.count(value);
  }

 private:
  const ir::Users users_;
  std::set<const Value*> outputs_;
};

// The inner dimensions change places; rows and channels stay.
bool moves_within(const Axes& order) {
  return order.size() >= 3 && order.front() == 0 &&
         order.back() + 1 == static_cast<int64_t>(order.size());
}

// The value with its dimensions in another order: computed so, if nobody else needs it or it is a
// comparison, which costs less than to store it.
Value* computed_in_order(Value* value, const Axes& order, const Uses& uses, Builder& b) {
  const Shape& shape = value->type.shape;
  if (is_op(value, "constant")) {
    Shape moved;
    for (int64_t axis : order) moved.push_back(shape[static_cast<size_t>(axis)]);
    return constant_of(value, moved, b);
  }
  if (is_elementwise(value) && (uses.one(value) || value->type.dtype == ir::DType::boolean)) {
    std::vector<Value*> operands;
    for (Value* operand : value->node->operands)
      operands.push_back(computed_in_order(operand, order, uses, b));
    return b.op(value->node->op->name, operands, value->node->attributes);
  }
  return b.transpose(value, order);
}

bool transpositions_last(ir::Graph& graph) {
  const Uses uses(graph);
  return rewrite(graph, [&](Node& node, Builder& b) -> Value* {
    if (!is_op(&node, "transpose") || !is_elementwise(node.operands[0])) return nullptr;
    const Axes order = axes_of(node, "permutation");
    if (!moves_within(order) || !uses.one(node.operands[0])) return nullptr;
    return computed_in_order(node.operands[0], order, uses, b);
  });
}

// Elementwise nodes on a value that was computed with more dimensions get these dimensions too.
class Apart {
 public:
  explicit Apart(ir::Graph& graph) : graph_(graph), uses_(graph) {}

  bool run() {
    return rewrite(graph_, [&](Node& node, Builder& b) -> Value* {
      if (node.op->family != Family::elementwise || node.results.size() != 1) return nullptr;
      for (const Value* operand : node.operands)
        if (is_apart(operand, b)) return moved(node, operand->node->operands[0]->type.shape, b);
      return nullptr;
    });
  }

 private:
  // Whether the value is a reshape of arithmetic that has to be done with more dimensions.
  bool is_apart(const Value* value, Builder& b) const {
    if (made_.count(value)) return is_op(value, "reshape");
    if (!is_op(value, "reshape") || !uses_.one(value)) return false;
    const Value* in = value->node->operands[0];
    if (!is_elementwise(in) || !uses_.one(in)) return false;
    const auto& operands = in->node->operands;
    return std::any_of(operands.begin(), operands.end(), [&](Value* operand) {
      const bool repeats = !is_op(operand, "constant") && kernel::base_of(operand) != operand;
      return repeats && !kernel::view_in_base(b.reshape(operand, value->type.shape));
    });
  }

  Value* moved(const Node& node, const Shape& shape, Builder& b) {
    std::vector<Value*> operands;
    for (Value* operand : node.operands) operands.push_back(computed_apart(operand, shape, b));
    Value* result = b.op(node.op->name, operands, node.attributes);
    result = b.reshape(result, node.result()->type.shape);
    made_.insert(result);
    return result;
  }

  // As computed_in_order, with more dimensions.
  Value* computed_apart(Value* value, const Shape& shape, Builder& b) {
    if (is_op(value, "constant")) return constant_of(value, shape, b);
    if (is_op(value, "reshape") && value->node->operands[0]->type.shape == shape)
      return value->node->operands[0];
    if (!is_elementwise(value) || !(uses_.one(value) || value->type.dtype == ir::DType::boolean))
      return b.reshape(value, shape);
    std::vector<Value*> operands;
    for (Value* operand : value->node->operands)
      operands.push_back(computed_apart(operand, shape, b));
    return b.op(value->node->op->name, operands, value->node->attributes);
  }

  ir::Graph& graph_;
  const Uses uses_;
  std::set<const Value*> made_;
};

// What backward makes of a value that others read, too (1 - tanh², behind a pooling), takes the
// shape in which it is used: it is part of that kernel then, and nobody writes it.
class ReshapedFirst {
 public:
  explicit ReshapedFirst(ir::Graph& graph) : graph_(graph), uses_(graph) {}

  bool run() {
    return rewrite(graph_, [&](Node& node, Builder& b) -> Value* {
      if (!is_op(&node, "reshape") || !is_private(node.operands[0])) return nullptr;
      return reshaped(node.operands[0], node.result()->type.shape, b);
    });
  }

 private:
  // Arithmetic for one reader, on values that have other readers.
  bool is_private(const Value* value) const {
    if (!is_elementwise(value) || !uses_.one(value)) return false;
    const auto& operands = value->node->operands;
    return std::all_of(operands.begin(), operands.end(), [&](const Value* operand) {
      return is_op(operand, "constant") || (is_elementwise(operand) && !uses_.one(operand)) ||
             is_private(operand);
    });
  }

  Value* reshaped(Value* value, const Shape& shape, Builder& b) {
    if (is_op(value, "constant")) return constant_of(value, shape, b);
    if (!is_private(value)) return b.reshape(value, shape);
    std::vector<Value*> operands;
    for (Value* operand : value->node->operands) operands.push_back(reshaped(operand, shape, b));
    return b.op(value->node->op->name, operands, value->node->attributes);
  }

  ir::Graph& graph_;
  const Uses uses_;
};

}  // namespace

bool join_blocks(ir::Graph& graph) {
  const bool ordered = transpositions_last(graph);
  if (ordered) graph.remove_dead();
  const bool apart = Apart(graph).run();
  graph.remove_dead();
  const bool first = ReshapedFirst(graph).run();
  graph.remove_dead();
  return ordered || apart || first;
}

}  // namespace nnc::passes
