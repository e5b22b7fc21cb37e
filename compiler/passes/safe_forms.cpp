// Numerically safe forms of what users and textbooks write. They run before derivatives, so that
// the gradients are those of the safe form.
//   exp(x)/Σexp(x)            -> the same of x - max(x)
//   log(exp(s)/Σexp(s))       -> s - log Σexp(s)
//   log(sigmoid(z))           -> -softplus(-z)
//   log(1 - sigmoid(z))       -> -softplus(z)
#include <algorithm>

#include "compiler/kernel/views.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;

namespace {

struct Softmax {
  Node* exponential = nullptr;  // exp(x)
  Node* sum = nullptr;          // reduce_sum(exp(x))
};

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

// Spreads a reduced value over the shape it was reduced from.
Value* spread(Builder& b, Value* reduced, const Value* like, const std::vector<int64_t>& axes) {
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

Value* shift_softmax(Node& node, Builder& b) {
  Softmax softmax;
  if (!match_softmax(node.result(), softmax)) return nullptr;
  Value* x = softmax.exponential->operands[0];
  if (is_shifted(x)) return nullptr;
  const auto axes = softmax.sum->attributes.integers("axes");
  Value* maximum = b.stop_gradient(b.reduce("reduce_max", x, axes));
  Value* e = b.unary("exp", b.sub(x, spread(b, maximum, x, axes)));
  return b.div(e, spread(b, b.sum(e, axes), x, axes));
}

Value* log_softmax(Node& node, Builder& b) {
  Softmax softmax;
  if (!is_op(&node, "log") || !match_softmax(node.operands[0], softmax)) return nullptr;
  Value* s = softmax.exponential->operands[0];
  const auto axes = softmax.sum->attributes.integers("axes");
  return b.sub(s, spread(b, b.unary("log", softmax.sum->result()), s, axes));
}

Value* log_sigmoid(Node& node, Builder& b) {
  if (!is_op(&node, "log")) return nullptr;
  const Value* in = node.operands[0];
  if (is_op(in, "sigmoid")) return b.neg(b.unary("softplus", b.neg(in->node->operands[0])));
  if (is_op(in, "sub") && is_constant(in->node->operands[0], 1) &&
      is_op(in->node->operands[1], "sigmoid"))
    return b.neg(b.unary("softplus", in->node->operands[1]->node->operands[0]));
  return nullptr;
}

}  // namespace

bool safe_forms(ir::Graph& graph) {
  const bool shifted = rewrite(graph, shift_softmax);
  const bool logs = rewrite(graph, [](Node& node, Builder& b) -> Value* {
    if (Value* v = log_softmax(node, b)) return v;
    return log_sigmoid(node, b);
  });
  return shifted || logs;
}

}  // namespace nnc::passes
