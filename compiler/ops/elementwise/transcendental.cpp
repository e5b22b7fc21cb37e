// Exponentials, logarithms, waves and powers. Their kernels are in ops/math.
#include <cmath>

#include "compiler/ops/math/math.h"
#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

Lower lower_math(kernel::Value (*f)(kernel::Builder&, kernel::Value)) {
  return [f](LowerContext& c, const std::vector<kernel::Value>& v) { return f(c.k, v[0]); };
}

const Registration exp({
    .name = "exp",
    .doc = "e to the power of a.",
    .infer = infer_elementwise("exp", Accept::floats),
    .vjp = [](VjpContext& c) { return Gradients{times(c, c.gradients[0], c.result())}; },
    .eval = eval_unary([](double a) { return std::exp(a); }),
    .lower = lower_math(math::exp),
    .cost = 12,
    .samples =
        [] {
          return joined({float_samples(1), float_samples(1, -20, 20)});
        },
});

const Registration expm1({
    .name = "expm1",
    .doc = "exp(a) - 1, accurate near 0.",
    .infer = infer_elementwise("expm1", Accept::floats),
    .vjp =
        [](VjpContext& c) { return Gradients{times(c, c.gradients[0], c.b.add(c.result(), 1.0))}; },
    .eval = eval_unary([](double a) { return std::expm1(a); }),
    .lower = lower_math(math::expm1),
    .cost = 18,
    .samples = [] { return float_samples(1); },
});

const Registration log({
    .name = "log",
    .doc = "The natural logarithm; -inf at 0, NaN below.",
    .infer = infer_elementwise("log", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          return Gradients{where_chosen(c, c.b.div(c.gradients[0], c.operand(0)))};
        },
    .eval = eval_unary([](double a) { return std::log(a); }),
    .lower = lower_math(math::log),
    .cost = 16,
    .samples = [] { return float_samples(1, 0.125, 4); },
});

const Registration log1p({
    .name = "log1p",
    .doc = "log(1 + a), accurate near 0.",
    .infer = infer_elementwise("log1p", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          return Gradients{where_chosen(c, c.b.div(c.gradients[0], c.b.add(c.operand(0), 1.0)))};
        },
    .eval = eval_unary([](double a) { return std::log1p(a); }),
    .lower = lower_math(math::log1p),
    .cost = 24,
    .samples = [] { return float_samples(1, -0.5, 3); },
});

const Registration sin({
    .name = "sin",
    .doc = "The sine of an angle in radians.",
    .infer = infer_elementwise("sin", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          return Gradients{c.b.mul(c.gradients[0], c.b.unary("cos", c.operand(0)))};
        },
    .eval = eval_unary([](double a) { return std::sin(a); }),
    .lower = lower_math(math::sin),
    .cost = 20,
    .samples = [] { return float_samples(1, -4, 4); },
});

const Registration cos({
    .name = "cos",
    .doc = "The cosine of an angle in radians.",
    .infer = infer_elementwise("cos", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          return Gradients{c.b.neg(c.b.mul(c.gradients[0], c.b.unary("sin", c.operand(0))))};
        },
    .eval = eval_unary([](double a) { return std::cos(a); }),
    .lower = lower_math(math::cos),
    .cost = 20,
    .samples = [] { return float_samples(1, -4, 4); },
});

const Registration tan({
    .name = "tan",
    .doc = "The tangent of an angle in radians, sin/cos.",
    .infer = infer_elementwise("tan", Accept::floats),
    .vjp =
        [](VjpContext& c) {  // 1 + tan²
          ir::Value* slope = c.b.add(c.b.mul(c.result(), c.result()), 1.0);
          return Gradients{times(c, c.gradients[0], slope)};
        },
    .eval = eval_unary([](double a) { return std::tan(a); }),
    .lower =
        [](LowerContext& c, const std::vector<kernel::Value>& v) {
          return c.k.div(math::sin(c.k, v[0]), math::cos(c.k, v[0]));
        },
    .cost = 44,
    .samples = [] { return float_samples(1, -1, 1); },
});

// d a^b: b·a^(b-1) and a^b·log(a). Where a formula would meet 0·inf the finite factor is replaced,
// not the product, so that the second derivative stays finite as well.
Gradients pow_gradients(VjpContext& c) {
  ir::Builder& b = c.b;
  ir::Value* g = c.gradients[0];
  ir::Value* base = c.operand(0);
  ir::Value* exponent = c.operand(1);
  const Node* source = exponent->node;
  if (source != nullptr && source->op->name == "constant") {
    const double n = source->attributes.number("value");
    if (n == 0) return {nullptr, nullptr};
    ir::Value* rest = n == 2 ? base : b.op("pow", {base, b.constant_like(n - 1, base)});
    if (n == 1) return {g, nullptr};
    return {times(c, b.mul(g, n), rest), nullptr};
  }
  ir::Value* zero = b.constant_like(0, base);
  ir::Value* one = b.constant_like(1, base);
  ir::Value* lower = b.select(b.compare("eq", exponent, zero), one, b.sub(exponent, one));
  ir::Value* slope = b.mul(exponent, b.op("pow", {base, lower}));
  ir::Value* positive = b.compare("gt", base, zero);
  ir::Value* logarithm = b.unary("log", b.select(positive, base, one));
  return {times(c, g, slope), times(c, g, b.mul(c.result(), logarithm))};
}

const Registration pow({
    .name = "pow",
    .operands = 2,
    .doc = "a to the power of b, with C's special values: a negative base has a power only for an "
           "integer exponent. The derivative by the exponent counts as 0 where the base is not "
           "positive.",
    .infer = infer_elementwise("pow", Accept::floats),
    .vjp = pow_gradients,
    .eval = eval_binary([](double a, double b) { return std::pow(a, b); }),
    .lower = [](LowerContext& c,
                const std::vector<kernel::Value>& v) { return math::pow(c.k, v[0], v[1]); },
    .cost = 40,
    .samples = [] { return float_samples(2, 0.5, 2.5); },
});

}  // namespace
}  // namespace nnc::ops
