// Sums, products and quotients of two or three operands, and their order.
#include <cmath>

#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

const Registration add({
    .name = "add",
    .operands = 2,
    .doc = "a + b, element by element; operands of one type.",
    .infer = infer_elementwise("add", Accept::numbers),
    .vjp =
        [](VjpContext& c) {
          return Gradients{c.gradients[0], c.gradients[0]};
        },
    .eval = eval_binary([](double a, double b) { return a + b; }),
    .lower = lower_binary(kernel::Op::add),
    .samples =
        [] {
          return joined({float_samples(2), typed_samples(2, DType::i32, -9, 9)});
        },
});

const Registration sub({
    .name = "sub",
    .operands = 2,
    .doc = "a - b, element by element; operands of one type.",
    .infer = infer_elementwise("sub", Accept::numbers),
    .vjp =
        [](VjpContext& c) {
          return Gradients{c.gradients[0], c.b.neg(c.gradients[0])};
        },
    .eval = eval_binary([](double a, double b) { return a - b; }),
    .lower = lower_binary(kernel::Op::sub),
    .samples =
        [] {
          return joined({float_samples(2), typed_samples(2, DType::i32, -9, 9)});
        },
});

const Registration mul({
    .name = "mul",
    .operands = 2,
    .doc = "a · b, element by element; operands of one type.",
    .infer = infer_elementwise("mul", Accept::numbers),
    .vjp =
        [](VjpContext& c) {
          ir::Value* g = c.gradients[0];
          return Gradients{times(c, g, c.operand(1)), times(c, g, c.operand(0))};
        },
    .eval = eval_binary([](double a, double b) { return a * b; }),
    .lower = lower_binary(kernel::Op::mul),
    .samples =
        [] {
          return joined({float_samples(2), typed_samples(2, DType::i32, -9, 9)});
        },
});

// Integer division traps on the machine for two divisors, also in lanes that nobody looks at.
kernel::Value lower_div(LowerContext& c, const std::vector<kernel::Value>& v) {
  if (v[0].type.is_float()) return c.k.div(v[0], v[1]);
  const kernel::Value one = constant_like(c.k, v[0], 1);
  const kernel::Value zero = c.k.compare(kernel::Op::eq, v[1], constant_like(c.k, v[0], 0));
  if (v[0].type.scalar == kernel::Scalar::u8) return c.k.div(v[0], c.k.select(zero, one, v[1]));
  const kernel::Value minus = c.k.compare(kernel::Op::eq, v[1], constant_like(c.k, v[0], -1));
  const kernel::Value traps = c.k.binary(kernel::Op::bit_or, zero, minus);
  const kernel::Value quotient = c.k.div(v[0], c.k.select(traps, one, v[1]));
  return c.k.select(minus, c.k.unary(kernel::Op::neg, v[0]), quotient);
}

void eval_div(EvalContext& c) {
  std::vector<double>& out = c.results[0].data;
  const bool integers = !c.node.result()->type.is_float();
  for (size_t i = 0; i < out.size(); ++i) {
    const double a = c.operands[0]->data[i], b = c.operands[1]->data[i];
    out[i] = !integers ? a / b : b == 0 ? a : std::trunc(a / b);
  }
}

const Registration div({
    .name = "div",
    .operands = 2,
    .doc = "a / b, element by element; operands of one type. Integers truncate towards zero, and a "
           "divisor of 0 counts as 1.",
    .infer = infer_elementwise("div", Accept::numbers),
    .vjp =
        [](VjpContext& c) {
          ir::Value* g = c.b.div(c.gradients[0], c.operand(1));
          if (!is_uniform(c.operand(1))) g = where_chosen(c, g);
          return Gradients{g, c.b.neg(times(c, g, c.result()))};  // d(a/b)/db = -(a/b)/b
        },
    .eval = eval_div,
    .lower = lower_div,
    .cost = 4,
    .samples =
        [] {
          return joined({float_samples(2, 0.5, 3), typed_samples(2, DType::i32, -3, 3),
                         typed_samples(2, DType::u8, 0, 255)});
        },
});

// The operand that the kernel's rule chose gets the whole gradient; of equals, the first one.
Gradients choose(VjpContext& c, ir::Value* second) {
  ir::Value* g = c.gradients[0];
  ir::Value* zero = c.b.constant_like(0, g);
  return {c.b.select(second, zero, g), c.b.select(second, g, zero)};
}

const Registration max({
    .name = "max",
    .operands = 2,
    .doc = "The larger of a and b: a < b ? b : a, so that of equals (and of NaN) the first operand "
           "is chosen. The gradient goes to the chosen operand.",
    .infer = infer_elementwise("max", Accept::numbers),
    .vjp = [](VjpContext& c) { return choose(c, c.b.compare("lt", c.operand(0), c.operand(1))); },
    .eval = eval_binary([](double a, double b) { return a < b ? b : a; }),
    .lower = lower_binary(kernel::Op::max),
    .picks = true,
    .samples =
        [] {
          return joined({float_samples(2), typed_samples(2, DType::i32, -9, 9)});
        },
});

const Registration min({
    .name = "min",
    .operands = 2,
    .doc =
        "The smaller of a and b: b < a ? b : a, so that of equals (and of NaN) the first operand "
        "is chosen. The gradient goes to the chosen operand.",
    .infer = infer_elementwise("min", Accept::numbers),
    .vjp = [](VjpContext& c) { return choose(c, c.b.compare("lt", c.operand(1), c.operand(0))); },
    .eval = eval_binary([](double a, double b) { return b < a ? b : a; }),
    .lower = lower_binary(kernel::Op::min),
    .picks = true,
    .samples =
        [] {
          return joined({float_samples(2), typed_samples(2, DType::i32, -9, 9)});
        },
});

const Registration muladd({
    .name = "muladd",
    .operands = 3,
    .doc = "a · b + c, rounded once where the target has a fused multiply-add, else twice.",
    .infer = infer_elementwise("muladd", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          ir::Value* g = c.gradients[0];
          return Gradients{times(c, g, c.operand(1)), times(c, g, c.operand(0)), g};
        },
    .eval =
        [](EvalContext& c) {
          std::vector<double>& out = c.results[0].data;
          for (size_t i = 0; i < out.size(); ++i) {
            out[i] = c.operands[0]->data[i] * c.operands[1]->data[i] + c.operands[2]->data[i];
          }
        },
    .lower = [](LowerContext& c,
                const std::vector<kernel::Value>& v) { return c.k.muladd(v[0], v[1], v[2]); },
    .cost = 2,
    .samples = [] { return float_samples(3); },
});

}  // namespace
}  // namespace nnc::ops
