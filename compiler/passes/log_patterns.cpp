#include "compiler/passes/log_patterns.h"

#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;

namespace {

// The other operand of a sum with the constant 1, else null.
Value* beside_one(const Value* v) {
  if (!is_op(v, "add")) return nullptr;
  if (is_constant(v->node->operands[0], 1)) return v->node->operands[1];
  return is_constant(v->node->operands[1], 1) ? v->node->operands[0] : nullptr;
}

// a where the value is 1 + tanh(a).
Value* angle_of(const Value* v) {
  const Value* tanh = beside_one(v);
  return tanh != nullptr && is_op(tanh, "tanh") ? tanh->node->operands[0] : nullptr;
}

}  // namespace

Value* complement_of(const Value* v) {
  if (is_op(v, "sub") && is_constant(v->node->operands[0], 1)) return v->node->operands[1];
  if (Value* other = beside_one(v); other != nullptr && is_op(other, "neg"))
    return other->node->operands[0];
  if (!is_op(v, "neg")) return nullptr;
  const Value* inner = v->node->operands[0];
  return is_op(inner, "sub") && is_constant(inner->node->operands[1], 1) ? inner->node->operands[0]
                                                                         : nullptr;
}

Value* scaled_by_constant(const Value* v, double& factor) {
  if (is_op(v, "div") && uniform_constant(v->node->operands[1], factor)) {
    factor = 1 / factor;
    return v->node->operands[0];
  }
  if (!is_op(v, "mul")) return nullptr;
  if (uniform_constant(v->node->operands[1], factor)) return v->node->operands[0];
  return uniform_constant(v->node->operands[0], factor) ? v->node->operands[1] : nullptr;
}

Argument argument_of_sigmoid(const Value* v) {
  if (is_op(v, "sigmoid")) return [z = v->node->operands[0]](Builder&) { return z; };
  const auto twice = [](Value* angle) { return [angle](Builder& b) { return b.mul(angle, 2); }; };
  double factor = 0;
  Value* scaled = scaled_by_constant(v, factor);
  if (scaled != nullptr && factor == 0.5) {
    if (Value* angle = angle_of(scaled)) return twice(angle);
  }
  if (!is_op(v, "add")) return {};
  for (size_t i = 0; i < 2; ++i) {  // 1/2 + tanh(a)/2
    scaled = scaled_by_constant(v->node->operands[i], factor);
    if (scaled != nullptr && factor == 0.5 && is_op(scaled, "tanh") &&
        is_constant(v->node->operands[1 - i], 0.5))
      return twice(scaled->node->operands[0]);
  }
  return {};
}

Value* textbook_sigmoid(const Node& node, Builder& b) {
  const bool inverse = is_op(&node, "reciprocal");
  if (!inverse && !is_op(&node, "div")) return nullptr;
  const Value* above = inverse ? nullptr : node.operands[0];
  const Value* e = beside_one(node.operands[inverse ? 0 : 1]);
  if (e == nullptr || !is_op(e, "exp")) return nullptr;
  Value* x = e->node->operands[0];
  if (above == e) return b.unary("sigmoid", x);
  if (above != nullptr && !is_constant(above, 1)) return nullptr;
  return b.unary("sigmoid", is_op(x, "neg") ? x->node->operands[0] : b.neg(x));
}

bool rounds_to(double number, double limit, ir::DType dtype) {
  return dtype == ir::DType::f32 ? static_cast<float>(number) == static_cast<float>(limit)
                                 : number == limit;
}

}  // namespace nnc::passes
