#include "compiler/passes/softmax.h"

#include <algorithm>

#include "compiler/kernel/views.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Node;
using ir::Value;

namespace {

// Whether each row's sum stands over its own row: dimension i of the sum runs along the i-th axis
// that was not summed (a square matrix could be divided by the sums of its columns as well).
bool over_own_rows(const Value* spread, const Node& sum) {
  const auto& axes = sum.attributes.integers("axes");
  size_t d = 0;
  for (int64_t i = 0; i < spread->type.rank(); ++i) {
    if (std::find(axes.begin(), axes.end(), i) != axes.end()) continue;
    const ir::Dim& extent = sum.result()->type.shape[d];
    const auto map = kernel::coordinate_map(spread, sum.result(), d++);
    if (extent == ir::Dim{}) continue;
    if (!map) return false;
    for (int64_t j = 0; j < spread->type.rank(); ++j)
      if (map->strides[static_cast<size_t>(j)] != ir::Dim{j == i ? 1 : 0, false}) return false;
  }
  return true;
}

}  // namespace

bool match_softmax(const Value* value, Softmax& found) {
  if (!is_op(value, "div") || !is_op(value->node->operands[0], "exp")) return false;
  const Value* denominator = value->node->operands[1];
  while (denominator->node && denominator->node->op->family == ir::Family::movement)
    denominator = denominator->node->operands[0];
  if (!is_op(denominator, "reduce_sum")) return false;
  found.exponential = value->node->operands[0]->node;
  found.sum = denominator->node;
  return denominator->node->operands[0] == value->node->operands[0] &&
         over_own_rows(value->node->operands[1], *denominator->node);
}

Value* spread(ir::Builder& b, Value* reduced, const Value* like, const std::vector<int64_t>& axes) {
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < like->type.rank(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) kept.push_back(i);
  return b.broadcast(reduced, like->type.shape, kept);
}

bool is_shifted(const Value* x) {
  if (!is_op(x, "sub")) return false;
  const Value* shift = x->node->operands[1];
  while (shift->node && shift->node->op->family == ir::Family::movement)
    shift = shift->node->operands[0];
  return is_op(shift, "stop_gradient") || is_op(shift, "reduce_max");
}

}  // namespace nnc::passes
