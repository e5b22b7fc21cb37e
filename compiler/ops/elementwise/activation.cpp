// The functions that networks put between layers and that need a stable form of their own.
#include <cmath>

#include "compiler/ops/math/math.h"
#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

Lower lower_math(kernel::Value (*f)(kernel::Builder&, kernel::Value)) {
  return [f](LowerContext& c, const std::vector<kernel::Value>& v) { return f(c.k, v[0]); };
}

const Registration tanh({
    .name = "tanh",
    .doc = "The hyperbolic tangent. Derivative 1 - y², from the result.",
    .infer = infer_elementwise("tanh", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          ir::Value* y = c.result();
          ir::Value* slope = c.b.sub(c.b.constant_like(1, y), c.b.mul(y, y));
          return Gradients{c.b.mul(c.gradients[0], slope)};
        },
    .eval = eval_unary([](double a) { return std::tanh(a); }),
    .lower = lower_math(math::tanh),
    .cost = 16,
    .samples =
        [] {
          return joined({float_samples(1), float_samples(1, -6, 6)});
        },
});

const Registration sigmoid({
    .name = "sigmoid",
    .doc = "1 / (1 + exp(-a)). Derivative y·(1 - y), from the result.",
    .infer = infer_elementwise("sigmoid", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          ir::Value* y = c.result();
          ir::Value* slope = c.b.mul(y, c.b.sub(c.b.constant_like(1, y), y));
          return Gradients{c.b.mul(c.gradients[0], slope)};
        },
    .eval = eval_unary([](double a) {
      const double e = std::exp(-std::fabs(a));
      return a < 0 ? e / (1 + e) : 1 / (1 + e);
    }),
    .lower = lower_math(math::sigmoid),
    .cost = 18,
    .samples =
        [] {
          return joined({float_samples(1), float_samples(1, -12, 12)});
        },
});

const Registration softplus({
    .name = "softplus",
    .doc = "log(1 + exp(a)) in the form that never overflows: max(a, 0) + log1p(exp(-|a|)). "
           "Derivative sigmoid(a).",
    .infer = infer_elementwise("softplus", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          return Gradients{c.b.mul(c.gradients[0], c.b.unary("sigmoid", c.operand(0)))};
        },
    .eval = eval_unary([](double a) {
      return (a < 0 ? 0.0 : a) + std::log1p(std::exp(-std::fabs(a)));
    }),
    .lower = lower_math(math::softplus),
    .cost = 36,
    .samples =
        [] {
          return joined({float_samples(1), float_samples(1, -12, 12)});
        },
});

const Registration erf({
    .name = "erf",
    .doc = "The error function 2/sqrt(pi) · integral of exp(-t²) from 0 to a.",
    .infer = infer_elementwise("erf", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          ir::Value* a = c.operand(0);
          ir::Value* bell = c.b.unary("exp", c.b.neg(c.b.mul(a, a)));
          return Gradients{c.b.mul(c.gradients[0], c.b.mul(bell, M_2_SQRTPI))};
        },
    .eval = eval_unary([](double a) { return std::erf(a); }),
    .lower = lower_math(math::erf),
    .cost = 24,
    .samples =
        [] {
          return joined({float_samples(1), float_samples(1, -5, 5)});
        },
});

const Registration relu({
    .name = "relu",
    .doc = "max(a, 0); NaN stays NaN. Derivative 1 where the result is positive, else 0.",
    .infer = infer_elementwise("relu", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          ir::Value* zero = c.b.constant_like(0, c.result());
          ir::Value* positive = c.b.compare("gt", c.result(), zero);
          return Gradients{c.b.select(positive, c.gradients[0], zero)};
        },
    .eval = eval_unary([](double a) { return a < 0 ? 0.0 : a; }),
    .lower =
        [](LowerContext& c, const std::vector<kernel::Value>& v) {
          return c.k.max(v[0], constant_like(c.k, v[0], 0));
        },
    .samples = [] { return float_samples(1); },
});

}  // namespace
}  // namespace nnc::ops
