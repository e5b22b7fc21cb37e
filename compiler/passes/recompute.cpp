// A normalised product, relu((y - mean)·f + b) with a mean that is taken of y, cannot be made where
// y is, and costs less than to write it and to fetch it again: backward needs y anyway. So every
// reader makes it from y for itself, with a border of zeros where it wants one.
#include <algorithm>
#include <set>

#include "compiler/ir/op.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Family;
using ir::Node;
using ir::Value;

namespace {

// All arithmetic from the product to the reader.
constexpr double cheap_cost = 8;

class Recomputing {
 public:
  explicit Recomputing(ir::Graph& graph) : graph_(graph) {}

  bool run() {
    std::vector<std::unique_ptr<Node>> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (auto& node : old) {
      if (const auto link = link_of(*node)) {
        chain_[node->result()] = *link;
      } else {
        std::map<const Value*, Value*> copies;
        for (Value*& operand : node->operands) operand = copy_of(operand, copies);
      }
      graph_.nodes.push_back(std::move(node));
    }
    graph_.remove_dead();
    return copied_;
  }

 private:
  struct Link {
    const Value* product = nullptr;  // what all of it is made of
    double cost = 0;
  };

  // What is small enough to be at hand everywhere.
  static bool is_small(const Value* value) {
    while (value->node && value->node->op->family == Family::movement)
      value = value->node->operands[0];
    return !ir::has_batch(value->type.shape) || (value->node && value->node->op->uniform);
  }

  // The one operand that is not small.
  static const Value* only_full(const Node& node) {
    const Value* full = nullptr;
    for (const Value* operand : node.operands) {
      if (is_small(operand)) continue;
      if (full && full != operand) return nullptr;
      full = operand;
    }
    return full;
  }

  std::optional<Link> link_of(const Node& node) const {
    const bool arithmetic = node.op->family == Family::elementwise;
    if (!arithmetic && node.op->family != Family::movement && !is_op(&node, "pad"))
      return std::nullopt;
    const Value* full = only_full(node);
    if (!full || node.op->cost > cheap_cost) return std::nullopt;
    if (auto it = chain_.find(full); it != chain_.end()) {
      const Link link{it->second.product, it->second.cost + node.op->cost};
      return link.cost <= cheap_cost ? std::optional(link) : std::nullopt;
    }
    const bool begins = arithmetic && full->node && full->node->op->family == Family::contraction &&
                        depends_on_all(node, full);
    return begins ? std::optional(Link{full, node.op->cost}) : std::nullopt;
  }

  // Whether another operand is made of the product as a whole: before it is finished, none of this
  // can begin.
  static bool depends_on_all(const Node& node, const Value* product) {
    std::set<const Value*> seen;
    std::vector<const Value*> next;
    for (const Value* operand : node.operands)
      if (operand != product) next.push_back(operand);
    while (!next.empty()) {
      const Value* v = next.back();
      next.pop_back();
      if (v == product) return true;
      if (!v->node || !seen.insert(v).second) continue;
      next.insert(next.end(), v->node->operands.begin(), v->node->operands.end());
    }
    return false;
  }

  Value* copy_of(Value* value, std::map<const Value*, Value*>& copies) {
    if (!chain_.count(value)) return value;
    Value*& copy = copies[value];
    if (copy) return copy;
    const Node& node = *value->node;
    std::vector<Value*> operands;
    for (Value* operand : node.operands) operands.push_back(copy_of(operand, copies));
    copied_ = true;
    copy = graph_.add(node.op, operands, node.attributes, node.span)->result();
    return copy;
  }

  ir::Graph& graph_;
  std::map<const Value*, Link> chain_;
  bool copied_ = false;
};

}  // namespace

bool recompute_cheap(ir::Graph& graph) { return Recomputing(graph).run(); }

}  // namespace nnc::passes
