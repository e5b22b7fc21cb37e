#include "compiler/autodiff/autodiff.h"

#include <map>
#include <set>

#include "compiler/ir/builder.h"
#include "compiler/ir/op.h"
#include "compiler/support/diagnostics.h"

namespace nnc::autodiff {
namespace {

using ir::Node;
using ir::Value;

// Adjoints of values as the walk goes on; several uses of a value add up, last use first.
class ReverseWalk {
 public:
  ReverseWalk(ir::Graph& graph, const std::vector<Value*>& targets)
      : builder_(graph), forward_(graph.nodes.size()), depends_(targets.begin(), targets.end()) {
    // What depends on a target, by one walk forward. Integers carry no derivative on.
    for (const auto& node : graph.nodes) {
      for (const Value* operand : node->operands) {
        if (depends_.count(operand) == 0 || !node->op->vjp) continue;
        for (const auto& result : node->results) {
          if (result->type.is_float()) depends_.insert(result.get());
        }
      }
    }
  }

  void run(Value* loss) {
    if (depends_.count(loss) == 0) return;
    if (loss->node != nullptr) builder_.set_span(loss->node->span);
    adjoints_[loss] = builder_.constant_like(1, loss);
    // The graph grows while we walk: only the nodes that were there before are visited.
    for (size_t i = forward_; i-- > 0;) visit(*builder_.graph().nodes[i]);
  }

  Value* adjoint(const Value* value) const {
    const auto it = adjoints_.find(value);
    return it == adjoints_.end() ? nullptr : it->second;
  }

 private:
  void visit(const Node& node) {
    std::vector<Value*> incoming;
    bool reached = false;
    for (const auto& result : node.results) {
      incoming.push_back(depends_.count(result.get()) > 0 ? adjoint(result.get()) : nullptr);
      reached = reached || incoming.back() != nullptr;
    }
    if (!reached || !node.op->vjp) return;
    builder_.set_span(node.span);
    bool chosen = false;
    for (const Value* gradient : incoming) chosen = chosen || chosen_.count(gradient) > 0;
    ir::VjpContext context{builder_, node, incoming, chosen};
    const std::vector<Value*> outgoing = node.op->vjp(context);
    internal_check(outgoing.size() == node.operands.size(),
                   "the derivative of " + node.op->name + " has the wrong number of gradients");
    for (size_t i = 0; i < outgoing.size(); ++i) {
      accumulate(node, node.operands[i], outgoing[i], chosen || node.op->picks);
    }
  }

  void accumulate(const Node& node, const Value* operand, Value* gradient, bool chosen) {
    if (gradient == nullptr || depends_.count(operand) == 0) return;
    internal_check(gradient->type == operand->type,
                   "the derivative of " + node.op->name + " has another type than its operand");
    Value*& sum = adjoints_[operand];
    sum = sum == nullptr ? gradient : builder_.add(sum, gradient);
    if (chosen && !mixes(node, operand)) chosen_.insert(sum);
  }

  // True where a gradient of the operand sums over elements of the result: a zero in it no longer
  // says which of them was left out.
  bool mixes(const Node& node, const Value* operand) {
    if (node.op->family == ir::Family::contraction) return true;
    const int64_t batch = builder_.graph().batch;
    return operand->type.elements(batch) < node.result()->type.elements(batch);
  }

  ir::Builder builder_;
  size_t forward_;
  std::set<const Value*> depends_;
  std::map<const Value*, Value*> adjoints_;
  std::set<const Value*> chosen_;  // adjoints that are 0 where a choice left an element out
};

// Removes the nodes from `first` on that none of `wanted` needs.
void remove_unused(ir::Graph& graph, size_t first, const std::vector<Value*>& wanted) {
  std::set<const Value*> used(wanted.begin(), wanted.end());
  for (size_t i = graph.nodes.size(); i-- > first;) {
    std::unique_ptr<Node>& node = graph.nodes[i];
    bool needed = false;
    for (const auto& result : node->results) needed = needed || used.count(result.get()) > 0;
    if (needed) {
      used.insert(node->operands.begin(), node->operands.end());
    } else {
      node.reset();
    }
  }
  std::erase(graph.nodes, nullptr);
}

}  // namespace

std::vector<Value*> gradients(ir::Graph& graph, Value* loss, const std::vector<Value*>& targets) {
  internal_check(loss->type.is_float(), "only floating-point values have derivatives");
  const size_t forward = graph.nodes.size();
  ReverseWalk walk(graph, targets);
  walk.run(loss);
  std::vector<Value*> result;
  for (const Value* target : targets) result.push_back(walk.adjoint(target));
  // Rules build the gradient of every operand; what no target needed goes again.
  remove_unused(graph, forward, result);
  return result;
}

}  // namespace nnc::autodiff
