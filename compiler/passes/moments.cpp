// The spread of all pixels of all rows around a value, Σ(x - m)², cannot begin before m is known,
// which is the mean of all rows mostly: x would be fetched from far away once more. Instead each
// row takes its spread around its own mean, while its pixels are near, and the means make up for it
// (Chan, Golub, LeVeque, Updating formulae and a pairwise algorithm for computing sample variances,
// 1979):
//   Σ(x - m)² = Σ over rows of [ Σ over pixels of (x - mean of the row)² + pixels·(mean - m)² ]
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

// Fewer pixels than this are no walk of their own.
constexpr int64_t few_pixels = 16;

// Σ(x - m)² over the rows (the first axis) and pixels (the following ones): m has neither.
struct Spread {
  Value *x = nullptr, *m = nullptr;
  Axes pixels, others;  // of x
  int64_t count = 1;    // of the pixels
};

std::optional<Spread> match(const Node& node) {
  if (!is_op(&node, "reduce_sum") || !is_op(node.operands[0], "mul")) return std::nullopt;
  const auto& factors = node.operands[0]->node->operands;
  if (factors[0] != factors[1] || !is_op(factors[0], "sub")) return std::nullopt;
  const Node& difference = *factors[0]->node;
  Spread s{difference.operands[0], difference.operands[1], axes_of(node, "axes"), {}, 1};
  if (!is_op(s.m, "broadcast") || s.pixels.empty() || s.pixels.front() != 0) return std::nullopt;
  s.pixels.erase(s.pixels.begin());
  for (int64_t axis = 1; axis < s.x->type.rank(); ++axis) {
    if (contains(s.pixels, axis))
      s.count *= s.x->type.shape[static_cast<size_t>(axis)].size;
    else
      s.others.push_back(axis);
  }
  if (!s.x->type.shape.front().batch || s.others.empty() || s.count < few_pixels ||
      axes_of(*s.m->node, "axes") != s.others)
    return std::nullopt;
  return s;
}

Value* by_rows(const Spread& s, Builder& b) {
  Axes kept = s.others;
  kept.insert(kept.begin(), 0);
  Value* mean = b.mul(b.sum(s.x, s.pixels), 1.0 / static_cast<double>(s.count));
  Value* from_mean = b.sub(s.x, b.broadcast(mean, s.x->type.shape, kept));
  Value* within = b.sum(b.mul(from_mean, from_mean), s.pixels);
  Axes behind_rows;
  for (size_t i = 0; i < s.others.size(); ++i) behind_rows.push_back(static_cast<int64_t>(i) + 1);
  Value* m = b.broadcast(s.m->node->operands[0], mean->type.shape, behind_rows);
  Value* off = b.sub(mean, m);
  Value* between = b.mul(b.mul(off, off), static_cast<double>(s.count));
  return b.sum(b.add(within, between), {0});
}

}  // namespace

bool take_moments_by_rows(ir::Graph& graph) {
  return rewrite(graph, [](Node& node, Builder& b) -> Value* {
    const auto spread = match(node);
    return spread ? by_rows(*spread, b) : nullptr;
  });
}

}  // namespace nnc::passes
