// The gradient of a normalisation sums what it has just made of gradients whose own sums it needs
// anyway: Σ(g·f + h·c) with factors f and c that stay the same along the summed axes is f·Σg +
// c·Σh. With Σg and Σh known, that is arithmetic on a few numbers instead of one more walk through
// all.
#include <algorithm>

#include "compiler/passes/axes.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Shape;
using ir::Value;

namespace {

// Deeper than that no gradient is, and a wide graph has many paths.
constexpr int deepest = 8;

class KnownSums {
 public:
  Value* rule(Node& node, Builder& b) {
    if (!is_op(&node, "reduce_sum")) return nullptr;
    axes_ = axes_of(node, "axes");
    Value* in = node.operands[0];
    const bool rows = std::any_of(axes_.begin(), axes_.end(), [&](int64_t axis) {
      return in->type.shape[static_cast<size_t>(axis)].batch;
    });
    // Sums along the rows of few elements are quick, and part of larger kernels.
    if (!rows || !in->type.is_float()) return nullptr;
    Value* sum = is_linear(in, deepest) ? linear(in, b) : nullptr;
    known_[{in, axes_}] = sum ? sum : node.result();
    return sum;
  }

 private:
  Value* known(const Value* value) const {
    auto it = known_.find({value, axes_});
    return it == known_.end() ? nullptr : it->second;
  }

  // Whether the value is the same all along the summed axes.
  bool is_even(const Value* value) const {
    if (!is_op(value, "broadcast")) return false;
    const Axes from = axes_of(*value->node, "axes");
    return std::none_of(from.begin(), from.end(),
                        [&](int64_t axis) { return contains(axes_, axis); });
  }

  bool is_linear(const Value* value, int depth) const {
    if (known(value) || is_even(value)) return true;
    if (depth == 0 || !value->node) return false;
    const auto& in = value->node->operands;
    if (is_op(value, "neg")) return is_linear(in[0], depth - 1);
    if (is_op(value, "add") || is_op(value, "sub"))
      return is_linear(in[0], depth - 1) && is_linear(in[1], depth - 1);
    if (!is_op(value, "mul")) return false;
    return (is_even(in[0]) && is_linear(in[1], depth - 1)) ||
           (is_even(in[1]) && is_linear(in[0], depth - 1));
  }

  // One of an even value's equal parts.
  Value* part(const Value* even, Builder& b) const {
    Shape shape;
    Axes places;
    const Axes from = axes_of(*even->node, "axes");
    for (int64_t axis = 0; axis < even->type.rank(); ++axis) {
      if (contains(axes_, axis)) continue;
      if (contains(from, axis)) places.push_back(static_cast<int64_t>(shape.size()));
      shape.push_back(even->type.shape[static_cast<size_t>(axis)]);
    }
    Value* source = even->node->operands[0];
    return source->type.shape == shape ? source : b.broadcast(source, shape, places);
  }

  // How many rows there are is known at run time only: they are counted by adding up.
  Value* sum_of_even(const Value* even, Builder& b) const {
    Value* one = part(even, b);
    double times = 1;
    Shape rows;
    for (int64_t axis : axes_) {
      const ir::Dim& dim = even->type.shape[static_cast<size_t>(axis)];
      times *= static_cast<double>(dim.size);
      if (dim.batch) rows.push_back({1, true});
    }
    one = b.mul(one, times);
    Axes others;
    for (int64_t axis = 0; axis < one->type.rank(); ++axis) others.push_back(axis + 1);
    rows.insert(rows.end(), one->type.shape.begin(), one->type.shape.end());
    return b.sum(b.broadcast(one, rows, others), {0});
  }

  Value* linear(const Value* value, Builder& b) {
    if (Value* sum = known(value)) return sum;
    if (is_even(value)) return sum_of_even(value, b);
    const auto& in = value->node->operands;
    if (is_op(value, "neg")) return b.neg(linear(in[0], b));
    if (is_op(value, "mul")) {
      const bool left = is_even(in[0]);
      return b.mul(part(in[left ? 0 : 1], b), linear(in[left ? 1 : 0], b));
    }
    Value* first = linear(in[0], b);
    return b.op(value->node->op->name, {first, linear(in[1], b)});
  }

  std::map<std::pair<const Value*, Axes>, Value*> known_;
  Axes axes_;
};

}  // namespace

bool use_known_sums(ir::Graph& graph) {
  KnownSums sums;
  return rewrite(graph, [&](Node& node, Builder& b) { return sums.rule(node, b); });
}

}  // namespace nnc::passes
