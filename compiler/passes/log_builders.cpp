#include "compiler/passes/log_builders.h"

#include <cmath>

#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Value;

// Around the larger of the two, which stands for no derivative of its own: of equals each gets
// half. With a constant c it is c + softplus(y - c).
Value* log_add(Builder& b, Value* x, Value* y) {
  double number = 0;
  if (uniform_constant(y, number)) std::swap(x, y);
  if (is_constant(x, 0)) return b.unary("softplus", y);
  if (uniform_constant(x, number)) return b.add(x, b.unary("softplus", b.sub(y, x)));
  Value* top = b.stop_gradient(b.binary("max", x, y));
  Value* sum = b.add(b.unary("exp", b.sub(x, top)), b.unary("exp", b.sub(y, top)));
  return b.add(b.unary("log", sum), top);
}

Value* log_sum_exp(Builder& b, Value* x, const std::vector<int64_t>& axes) {
  Value* top = b.stop_gradient(b.reduce("reduce_max", x, axes));
  Value* e = b.unary("exp", b.sub(x, spread(b, top, x, axes)));
  return b.add(b.unary("log", b.sum(e, axes)), top);
}

Value* log_sigmoid(Builder& b, Value* z) { return b.neg(b.unary("softplus", b.neg(z))); }

// Far below 0 softplus(z) is exp(z)·(1 - exp(z)/2 …), and its logarithm is z to the last digit.
Value* log_softplus(Builder& b, Value* softplus) {
  Value* z = softplus->node->operands[0];
  const double low = z->type.dtype == ir::DType::f32 ? -17 : -37;
  return b.select(b.compare("lt", z, b.constant_like(low, z)), z, b.unary("log", softplus));
}

Value* log_softmax(Builder& b, const Softmax& softmax) {
  Value* s = softmax.argument();
  return b.sub(s, spread(b, b.unary("log", softmax.sum->result()), s, softmax.axes()));
}

// With e = exp(s) and Σ their sum, 1 - p_i = (Σ - e_i)/Σ. This loses its digits, and at last
// becomes 0, only for an element with more than half of the sum, of which there is at most one:
// there the others are added up without it, from the largest of them.
Value* log_other_classes(Builder& b, const Softmax& softmax) {
  Value* s = softmax.argument();
  const std::vector<int64_t>& axes = softmax.axes();
  Value* e = softmax.exponential->result();
  Value* sum = spread(b, softmax.sum->result(), s, axes);
  Value* major = b.compare("gt", e, b.mul(sum, 0.5));
  Value* others = b.select(major, b.constant_like(-1e30, s), s);
  Value* rest = spread(b, log_sum_exp(b, others, axes), s, axes);
  Value* log_rest = b.select(major, rest, b.unary("log", b.sub(sum, e)));
  return b.sub(log_rest, spread(b, b.unary("log", softmax.sum->result()), s, axes));
}

}  // namespace nnc::passes
