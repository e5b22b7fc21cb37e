// x - mean and the like, with a mean that is taken of x: too late to be computed where x is, and so
// cheap that each of its readers computes it again rather than read it from memory. x is there
// anyway.
#include <algorithm>
#include <set>

#include "compiler/ir/op.h"
#include "compiler/kernel/group.h"
#include "compiler/passes/pass.h"

namespace nnc::passes {

using ir::Node;
using ir::Value;

namespace {

constexpr double cheap_cost = 2;

// The one operand that has all the elements, if the others are small values spread over it.
const Value* only_full(const Node& node) {
  const Value* full = nullptr;
  for (const Value* operand : node.operands) {
    if (operand->node && operand->node->op->name == "broadcast" &&
        !ir::has_batch(operand->node->operands[0]->type.shape))
      continue;
    if (full && full != operand) return nullptr;
    full = operand;
  }
  return full;
}

class Recomputing {
 public:
  explicit Recomputing(ir::Graph& graph) : graph_(graph) {}

  bool run() {
    std::map<const Value*, std::vector<Node*>> users = ir::users_of(graph_);
    std::vector<std::unique_ptr<Node>> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    std::map<const Value*, const Node*> sources;  // to be computed again
    bool changed = false;
    for (auto& node : old) {
      std::map<const Value*, Value*> copies;
      for (Value*& operand : node->operands)
        if (auto it = sources.find(operand); it != sources.end()) {
          Value*& copy = copies[operand];
          if (!copy) copy = copy_of(*it->second);
          operand = copy;
          changed = true;
        }
      if (is_cheap(*node) && users[node->result()].size() > 1) sources[node->result()] = node.get();
      graph_.nodes.push_back(std::move(node));
    }
    if (changed) graph_.remove_dead();
    return changed;
  }

 private:
  bool is_cheap(const Node& node) const {
    if (node.op->family != ir::Family::elementwise || node.op->cost > cheap_cost) return false;
    const Value* x = only_full(node);
    if (!x || !x->node || x->node->op->family != ir::Family::contraction) return false;
    return std::any_of(node.operands.begin(), node.operands.end(),
                       [&](const Value* v) { return v != x && depends_on(v, x); });
  }

  static bool depends_on(const Value* value, const Value* other) {
    std::set<const Value*> seen;
    std::vector<const Value*> next{value};
    while (!next.empty()) {
      const Value* v = next.back();
      next.pop_back();
      if (v == other) return true;
      if (!v->node || !seen.insert(v).second) continue;
      next.insert(next.end(), v->node->operands.begin(), v->node->operands.end());
    }
    return false;
  }

  Value* copy_of(const Node& node) {
    Node* copy = graph_.add(node.op, node.operands, node.attributes, node.span);
    return copy->result();
  }

  ir::Graph& graph_;
};

}  // namespace

bool recompute_cheap(ir::Graph& graph) { return Recomputing(graph).run(); }

}  // namespace nnc::passes
