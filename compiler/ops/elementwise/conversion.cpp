// Changes of the element type, and the identity that derivatives do not cross.
#include <cmath>

#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

// Floats become integers by truncation; anything but 0 becomes true.
void eval_cast(EvalContext& c) {
  const Type& to = c.node.result()->type;
  std::vector<double>& out = c.results[0].data;
  for (size_t i = 0; i < out.size(); ++i) {
    const double a = c.operands[0]->data[i];
    out[i] = to.dtype == DType::boolean ? (a != 0 ? 1.0 : 0.0) : to.is_float() ? a : std::trunc(a);
  }
}

std::vector<Sample> cast_samples() {
  std::vector<Sample> samples;
  const std::vector<std::pair<DType, DType>> pairs = {
      {DType::f32, DType::f64}, {DType::f64, DType::f32},     {DType::i32, DType::f32},
      {DType::f32, DType::i32}, {DType::boolean, DType::f32}, {DType::f32, DType::boolean},
      {DType::u8, DType::f32},  {DType::i32, DType::f64},     {DType::boolean, DType::i32}};
  for (const auto& [from, to] : pairs) {
    for (const Shape& shape : {Shape{}, Shape{{23}}, Shape{{1, true}, {7}}}) {
      Sample sample{.operands = {{from, shape}}, .attributes = {{"dtype", to}}};
      sample.low = from == DType::u8 ? 0 : -3;
      if (from == DType::boolean) sample.low = 0;
      sample.high = from == DType::boolean ? 1 : 3;
      sample.differentiable = Type{from, {}}.is_float() && Type{to, {}}.is_float();
      samples.push_back(sample);
    }
  }
  return samples;
}

const Registration cast({
    .name = "cast",
    .doc = "The same numbers in another element type {dtype}. Floats become integers by truncation "
           "(in range only), and booleans by comparison with 0.",
    .infer =
        [](const InferInput& input) {
          return std::vector<Type>{{input.attributes.dtype("dtype"), input.operands[0].shape}};
        },
    .vjp =
        [](VjpContext& c) {
          const Type& from = c.operand(0)->type;
          return Gradients{from.is_float() ? c.b.cast(c.gradients[0], from.dtype) : nullptr};
        },
    .eval = eval_cast,
    .lower =
        [](LowerContext& c, const std::vector<kernel::Value>& v) {
          if (c.scalar != kernel::Scalar::i1) return c.k.convert(v[0], c.scalar);
          if (v[0].type.scalar == kernel::Scalar::i1) return v[0];
          return c.k.compare(kernel::Op::ne, v[0], constant_like(c.k, v[0], 0));
        },
    .samples = cast_samples,
});

const Registration stop_gradient({
    .name = "stop_gradient",
    .doc = "The operand itself; derivatives treat it as a constant.",
    .infer = infer_elementwise("stop_gradient", Accept::any),
    .eval = eval_unary([](double a) { return a; }),
    .lower = [](LowerContext&, const std::vector<kernel::Value>& v) { return v[0]; },
    .cost = 0,
    .samples = [] { return float_samples(1, -2, 2, false); },
});

}  // namespace
}  // namespace nnc::ops
