// One operand, exact or a single machine instruction: signs, roots, rounding.
#include <cmath>

#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

// The derivative is zero wherever it exists: nothing flows back.
Gradients flat(VjpContext&) { return {nullptr}; }

const Registration neg({
    .name = "neg",
    .doc = "-a, element by element.",
    .infer = infer_elementwise("neg", Accept::numbers),
    .vjp = [](VjpContext& c) { return Gradients{c.b.neg(c.gradients[0])}; },
    .eval = eval_unary([](double a) { return -a; }),
    .lower = lower_unary(kernel::Op::neg),
    .samples =
        [] {
          return joined({float_samples(1), typed_samples(1, DType::i32, -9, 9)});
        },
});

const Registration abs({
    .name = "abs",
    .doc = "|a|, element by element. The derivative at 0 is 0.",
    .infer = infer_elementwise("abs", Accept::numbers),
    .vjp =
        [](VjpContext& c) {
          return Gradients{c.b.mul(c.gradients[0], c.b.unary("sign", c.operand(0)))};
        },
    .eval = eval_unary([](double a) { return std::fabs(a); }),
    .lower = lower_unary(kernel::Op::abs),
    .samples =
        [] {
          return joined({float_samples(1), typed_samples(1, DType::i32, -9, 9)});
        },
});

const Registration sign({
    .name = "sign",
    .doc = "1 for positive, -1 for negative numbers; zeros and NaN stay as they are. Derivative 0.",
    .infer = infer_elementwise("sign", Accept::numbers),
    .vjp = flat,
    .eval = eval_unary([](double a) { return a > 0   ? 1.0
                                             : a < 0 ? -1.0
                                                     : a; }),
    .lower =
        [](LowerContext& c, const std::vector<kernel::Value>& v) {
          const kernel::Value zero = constant_like(c.k, v[0], 0);
          const kernel::Value low = c.k.select(c.k.compare(kernel::Op::lt, v[0], zero),
                                               constant_like(c.k, v[0], -1), v[0]);
          return c.k.select(c.k.compare(kernel::Op::gt, v[0], zero), constant_like(c.k, v[0], 1),
                            low);
        },
    .cost = 4,
    .samples =
        [] {
          return joined({float_samples(1, -2, 2, false), typed_samples(1, DType::i32, -2, 2)});
        },
});

const Registration sqrt({
    .name = "sqrt",
    .doc = "The square root, correctly rounded; NaN below 0.",
    .infer = infer_elementwise("sqrt", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          return Gradients{where_chosen(c, c.b.div(c.b.mul(c.gradients[0], 0.5), c.result()))};
        },
    .eval = eval_unary([](double a) { return std::sqrt(a); }),
    .lower = lower_unary(kernel::Op::sqrt),
    .cost = 6,
    .samples = [] { return float_samples(1, 0.25, 4); },
});

const Registration rsqrt({
    .name = "rsqrt",
    .doc = "1 / sqrt(a), from a correctly rounded root and a correctly rounded quotient.",
    .infer = infer_elementwise("rsqrt", Accept::floats),
    .vjp =
        [](VjpContext& c) {  // d a^(-1/2) = -1/2 a^(-3/2)
          ir::Value* cube = c.b.mul(c.b.mul(c.result(), c.result()), c.result());
          return Gradients{c.b.mul(times(c, c.gradients[0], cube), -0.5)};
        },
    .eval = eval_unary([](double a) { return 1 / std::sqrt(a); }),
    .lower =
        [](LowerContext& c, const std::vector<kernel::Value>& v) {
          return c.k.div(constant_like(c.k, v[0], 1), c.k.unary(kernel::Op::sqrt, v[0]));
        },
    .cost = 10,
    .samples = [] { return float_samples(1, 0.25, 4); },
});

const Registration reciprocal({
    .name = "reciprocal",
    .doc = "1 / a, correctly rounded.",
    .infer = infer_elementwise("reciprocal", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          ir::Value* square = c.b.mul(c.result(), c.result());
          return Gradients{c.b.neg(times(c, c.gradients[0], square))};
        },
    .eval = eval_unary([](double a) { return 1 / a; }),
    .lower =
        [](LowerContext& c, const std::vector<kernel::Value>& v) {
          return c.k.div(constant_like(c.k, v[0], 1), v[0]);
        },
    .cost = 4,
    .samples = [] { return float_samples(1, 0.25, 4); },
});

const Registration floor({
    .name = "floor",
    .doc = "The largest integer that is not above a. Derivative 0.",
    .infer = infer_elementwise("floor", Accept::floats),
    .vjp = flat,
    .eval = eval_unary([](double a) { return std::floor(a); }),
    .lower = lower_unary(kernel::Op::floor),
    .samples = [] { return float_samples(1, -5, 5, false); },
});

const Registration round({
    .name = "round",
    .doc = "The nearest integer, halves to the even one. Derivative 0.",
    .infer = infer_elementwise("round", Accept::floats),
    .vjp = flat,
    .eval = eval_unary([](double a) { return std::nearbyint(a); }),
    .lower = lower_unary(kernel::Op::round_even),
    .samples = [] { return float_samples(1, -5, 5, false); },
});

}  // namespace
}  // namespace nnc::ops
