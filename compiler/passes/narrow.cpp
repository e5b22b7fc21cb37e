// Pooling leaves out pixels at the end of lines and columns that do not fill a window: what nobody
// reads is not computed. Each value gets the extents that its readers look at, counted from the
// beginning of each dimension, and contractions of batch rows and what is made of them shrink to
// that. Before derivatives, so that backward has less to do as well.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "compiler/ir/windows.h"
#include "compiler/passes/axes.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Dim;
using ir::Family;
using ir::Node;
using ir::Shape;
using ir::Value;

namespace {

Dim larger(const Dim& a, const Dim& b) { return a.size < b.size ? b : a; }

// The dimensions other than 1: batch rows one by one are not among them.
std::vector<size_t> long_dimensions(const Shape& shape) {
  std::vector<size_t> list;
  for (size_t d = 0; d < shape.size(); ++d)
    if (shape[d].size != 1) list.push_back(d);
  return list;
}

// A reshape that cuts dimensions into blocks: how much of the operand the first blocks are. Where
// it does anything else, `need` becomes whole.
Shape blocks_needed(const Node& node, Shape& need) {
  const Shape &from = node.operands[0]->type.shape, &to = node.result()->type.shape;
  const std::vector<size_t> old_dims = long_dimensions(from), new_dims = long_dimensions(to);
  Shape below = from;
  size_t o = 0, n = 0;
  while (o < old_dims.size()) {
    const size_t dim = old_dims[o], first = n;
    int64_t left = from[dim].size, right = to[new_dims[n]].size;
    bool cuts = !from[dim].batch && !to[new_dims[n]].batch;
    for (++o, ++n; left != right;) {
      cuts = cuts && left > right && need[new_dims[n]] == to[new_dims[n]];
      left > right ? right *= to[new_dims[n++]].size : left *= from[old_dims[o++]].size;
    }
    if (cuts)
      below[dim].size = left / to[new_dims[first]].size * need[new_dims[first]].size;
    else
      for (size_t i = first; i < n; ++i) need[new_dims[i]] = to[new_dims[i]];
  }
  return below;
}

class Narrowing {
 public:
  explicit Narrowing(ir::Graph& graph) : graph_(graph) {}

  bool run() {
    for (const ir::Output& output : graph_.outputs) read(output.value, output.value->type.shape);
    for (auto it = graph_.nodes.rbegin(); it != graph_.nodes.rend(); ++it) look_above(**it);
    bool pays = false;
    for (const auto& node : graph_.nodes) pays = choose(*node) || pays;
    return pays && rewrite(graph_, [&](Node& node, Builder& b) -> Value* {
             return cut_.count(&node) ? rebuilt(node, plans_.at(&node), b) : nullptr;
           });
  }

 private:
  struct Plan {
    Shape result;                 // what the node computes
    std::vector<Shape> operands;  // and what of its operands
  };

  void read(const Value* value, const Shape& part) {
    Shape& all = needed_.try_emplace(value, part).first->second;
    std::transform(all.begin(), all.end(), part.begin(), all.begin(), larger);
  }

  void look_above(const Node& node) {
    std::optional<Plan> plan;
    if (node.results.size() == 1)
      if (auto it = needed_.find(node.result()); it != needed_.end())
        plan = plan_of(node, it->second);
    for (size_t i = 0; i < node.operands.size(); ++i)
      read(node.operands[i], plan ? plan->operands[i] : node.operands[i]->type.shape);
    if (plan) plans_[&node] = std::move(*plan);
  }

  // Nothing for nodes that are computed whole.
  static std::optional<Plan> plan_of(const Node& node, const Shape& need) {
    Plan plan{need, {}};
    for (const Value* operand : node.operands) plan.operands.push_back(operand->type.shape);
    switch (node.op->family) {
      case Family::elementwise:
        for (Shape& shape : plan.operands)
          if (shape == node.result()->type.shape) shape = need;
        return plan;
      case Family::generator:
        if (!node.op->uniform) return std::nullopt;
        return plan;
      case Family::reduction: reduced(node, plan); return plan;
      case Family::contraction: return multiplied(node, plan);
      case Family::movement: return moved(node, plan);
      default: return std::nullopt;
    }
  }

  static void reduced(const Node& node, Plan& plan) {
    const Axes axes = axes_of(node, "axes");
    size_t next = 0;
    for (size_t d = 0; d < plan.operands[0].size(); ++d)
      if (!contains(axes, static_cast<int64_t>(d))) plan.operands[0][d] = plan.result[next++];
  }

  // Only where batch rows go through: weights are not cut.
  static std::optional<Plan> multiplied(const Node& node, Plan& plan) {
    if (!axes_of(node, "lhs_batch").empty()) return std::nullopt;
    size_t next = 0;
    const char* summed[] = {"lhs", "rhs"};
    for (size_t i = 0; i < 2; ++i) {
      const Value* operand = node.operands[i];
      const bool rows = has_batch(operand->type.shape);
      for (int64_t axis : free_axes(operand, axes_of(node, summed[i]))) {
        const auto d = static_cast<size_t>(axis);
        if (!rows) plan.result[next] = operand->type.shape[d];
        plan.operands[i][d] = plan.result[next++];
      }
    }
    return plan;
  }

  static std::optional<Plan> moved(const Node& node, Plan& plan) {
    Shape& below = plan.operands[0];
    const Shape& need = plan.result;
    if (node.op->name == "reshape") {
      below = blocks_needed(node, plan.result);
    } else if (node.op->name == "transpose") {
      const Axes order = axes_of(node, "permutation");
      for (size_t d = 0; d < need.size(); ++d) below[static_cast<size_t>(order[d])] = need[d];
    } else if (node.op->name == "broadcast") {
      const Axes axes = axes_of(node, "axes");
      for (size_t d = 0; d < below.size(); ++d)
        if (below[d] == node.result()->type.shape[static_cast<size_t>(axes[d])])
          below[d] = need[static_cast<size_t>(axes[d])];
    } else if (node.op->name == "slice") {
      return sliced(node, plan);
    } else if (node.op->name == "window") {
      return windowed(node, plan);
    } else {
      return std::nullopt;
    }
    return plan;
  }

  static std::optional<Plan> sliced(const Node& node, Plan& plan) {
    const Axes starts = axes_of(node, "starts"), steps = axes_of(node, "steps");
    for (size_t d = 0; d < starts.size(); ++d) {
      const int64_t step = steps.empty() ? 1 : steps[d];
      if (step < 0) return std::nullopt;
      if (!plan.result[d].batch)
        plan.operands[0][d].size = starts[d] + (plan.result[d].size - 1) * step + 1;
    }
    return plan;
  }

  static std::optional<Plan> windowed(const Node& node, Plan& plan) {
    const ir::Windows windows = ir::Windows::of(node);
    for (size_t w = 0; w < windows.axes.size(); ++w)
      plan.result[windows.tap(w)].size = windows.size[w];
    Shape& below = plan.operands[0];
    for (size_t d = 0; d < below.size(); ++d) below[d] = plan.result[windows.dimension(d)];
    for (size_t w = 0; w < windows.axes.size(); ++w) {
      Dim& dim = below[static_cast<size_t>(windows.axes[w])];
      dim.size = (dim.size - 1) * windows.stride[w] + windows.reach(w);
    }
    return plan;
  }

  // Whether the value is made of no batch rows in memory: any part of it is as easily made.
  bool is_free(const Value* value) const {
    if (!value->node) return !has_batch(value->type.shape);
    return value->node->op->family == Family::generator || free_.count(value) > 0;
  }

  // Decides whether the node is cut. True for a contraction that has less to do then.
  bool choose(const Node& node) {
    const auto plan = plans_.find(&node);
    if (plan == plans_.end()) return false;
    const auto free = [&](const Value* v) { return is_free(v); };
    const auto follows = [&](const Value* v) { return cut_.count(v->node) > 0; };
    if (std::all_of(node.operands.begin(), node.operands.end(), free)) free_.insert(node.result());
    const bool gains =
        node.op->family == Family::contraction && plan->second.result != node.result()->type.shape;
    if (gains || std::any_of(node.operands.begin(), node.operands.end(), follows))
      cut_.insert(&node);
    return gains;
  }

  // What is free or only moved is made anew, smaller: windows of a part, not a part of windows.
  Value* part(Value* value, const Shape& shape, Builder& b) const {
    if (value->type.shape == shape) return value;
    if (value->node && (value->node->op->family == Family::movement || is_free(value)))
      if (auto plan = plan_of(*value->node, shape); plan && plan->result == shape)
        return rebuilt(*value->node, *plan, b);
    return b.slice(value, Axes(shape.size(), 0), shape);
  }

  Value* rebuilt(const Node& node, const Plan& plan, Builder& b) const {
    std::vector<Value*> operands;
    for (size_t i = 0; i < node.operands.size(); ++i)
      operands.push_back(part(node.operands[i], plan.operands[i], b));
    if (is_op(&node, "slice") && operands[0]->type.shape == plan.result) return operands[0];
    ir::Attributes attributes = node.attributes;
    if (attributes.has("shape")) attributes.set("shape", plan.result);
    return b.op(node.op->name, operands, attributes);
  }

  ir::Graph& graph_;
  std::map<const Value*, Shape> needed_;
  std::map<const Node*, Plan> plans_;
  std::set<const Value*> free_;
  std::set<const Node*> cut_;
};

}  // namespace

bool skip_unread(ir::Graph& graph) { return Narrowing(graph).run(); }

}  // namespace nnc::passes
