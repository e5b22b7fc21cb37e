// A product whose result is multiplied, channel by channel, by something that depends on weights
// only (batch normalisation with running statistics) is the product with weights that are
// multiplied already:  (x·W + b)·s + t  =  x·(W·s) + (b·s + t).  For inference graphs: the new
// weights are then computed once (prelude.h). The sums are the same up to rounding.
#include <algorithm>
#include <optional>
#include <set>

#include "compiler/ir/op.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"
#include "compiler/passes/weights.h"

namespace nnc::passes {

using ir::Builder;
using ir::Graph;
using ir::Node;
using ir::Value;

namespace {

// A value spread from one that depends on states alone: `source` has axes `axes` of the result.
struct Spread {
  Value* source = nullptr;
  std::vector<int64_t> axes;
};

class ScaleFolding {
 public:
  explicit ScaleFolding(const Graph& graph) : users_(ir::users_of(graph)), weights_(graph) {
    for (const ir::Output& output : graph.outputs) outputs_.insert(output.value);
  }

  Value* rule(Node& node, Builder& b) {
    if (is_op(&node, "mul")) return fold_factor(node, b);
    if (is_op(&node, "add")) return fold_summand(node, b);
    return nullptr;
  }

 private:
  std::optional<Spread> spread_of(Value* value) {
    if (!is_op(value, "broadcast")) return std::nullopt;
    Value* source = value->node->operands[0];
    if (!weights_.from_states(source)) return std::nullopt;
    return Spread{source, value->node->attributes.integers("axes")};
  }

  bool used_once(const Value* value) const {
    const auto it = users_.find(value);
    return it != users_.end() && it->second.size() == 1 && outputs_.count(value) == 0;
  }

  // Dimensions of the right operand of a contraction for the axes of its result; nothing if one of
  // them does not come from there alone.
  static std::optional<std::vector<int64_t>> right_axes(const Node& contract,
                                                        const std::vector<int64_t>& axes) {
    const auto& batch = contract.attributes.integers("rhs_batch");
    const auto& summed = contract.attributes.integers("rhs");
    std::vector<int64_t> free;
    const int64_t rank = contract.operands[1]->type.rank();
    for (int64_t i = 0; i < rank; ++i)
      if (!std::count(batch.begin(), batch.end(), i) &&
          !std::count(summed.begin(), summed.end(), i))
        free.push_back(i);
    const int64_t first = contract.result()->type.rank() - static_cast<int64_t>(free.size());
    std::vector<int64_t> result;
    for (const int64_t axis : axes) {
      if (axis < first) return std::nullopt;
      result.push_back(free[static_cast<size_t>(axis - first)]);
    }
    return result;
  }

  Value* scaled_contraction(Value* value, const Spread& factor, Builder& b) {
    if (!value->node || value->node->op->family != ir::Family::contraction) return nullptr;
    if (!used_once(value) || !weights_.from_states(value->node->operands[1])) return nullptr;
    const auto axes = right_axes(*value->node, factor.axes);
    if (!axes) return nullptr;
    Value* weights = value->node->operands[1];
    Value* scaled = b.mul(weights, b.broadcast(factor.source, weights->type.shape, *axes));
    return b.op(value->node->op->name, {value->node->operands[0], scaled}, value->node->attributes);
  }

  // (x·W + b)·s: the sum of the new product and b·s.
  Value* fold_factor(Node& node, Builder& b) {
    for (int side = 0; side < 2; ++side) {
      Value* value = node.operands[static_cast<size_t>(side)];
      const auto factor = spread_of(node.operands[static_cast<size_t>(1 - side)]);
      if (!factor) continue;
      if (Value* product = scaled_contraction(value, *factor, b)) return product;
      if (!is_op(value, "add") || !used_once(value)) continue;
      for (size_t i = 0; i < 2; ++i) {
        const auto summand = spread_of(value->node->operands[i]);
        if (!summand || summand->axes != factor->axes) continue;
        Value* product = scaled_contraction(value->node->operands[1 - i], *factor, b);
        if (!product) continue;
        return folded_sum(product, {b.mul(summand->source, factor->source), factor->axes}, b);
      }
    }
    return nullptr;
  }

  Value* folded_sum(Value* product, const Spread& summand, Builder& b) {
    Value* sum = b.add(product, b.broadcast(summand.source, product->type.shape, summand.axes));
    sums_[sum] = {product, summand};
    return sum;
  }

  // … + t, where the sum before it was made here.
  Value* fold_summand(Node& node, Builder& b) {
    for (size_t i = 0; i < 2; ++i) {
      const auto sum = sums_.find(node.operands[i]);
      const auto more = spread_of(node.operands[1 - i]);
      if (sum == sums_.end() || !more || more->axes != sum->second.second.axes) continue;
      const auto& [product, summand] = sum->second;
      return folded_sum(product, {b.add(summand.source, more->source), more->axes}, b);
    }
    return nullptr;
  }

  const ir::Users users_;
  std::set<const Value*> outputs_;
  WeightValues weights_;
  std::map<const Value*, std::pair<Value*, Spread>> sums_;
};

}  // namespace

bool fold_scales(ir::Graph& graph) {
  ScaleFolding folding(graph);
  return rewrite(graph, [&](Node& node, Builder& b) { return folding.rule(node, b); });
}

}  // namespace nnc::passes
