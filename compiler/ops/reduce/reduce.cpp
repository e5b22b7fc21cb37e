// Folds over axes: sums and extremes.
#include <cmath>
#include <limits>

#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool contains(const std::vector<int64_t>& axes, size_t axis) {
  for (int64_t a : axes) {
    if (a == static_cast<int64_t>(axis)) return true;
  }
  return false;
}

std::vector<int64_t> kept_axes(const Node& node) {
  std::vector<int64_t> kept;
  for (size_t i = 0; i < node.operands[0]->type.shape.size(); ++i) {
    if (!contains(node.attributes.integers("axes"), i)) kept.push_back(static_cast<int64_t>(i));
  }
  return kept;
}

Infer infer_reduce(const std::string& name) {
  return [name](const InferInput& input) {
    const Type& type = input.operands[0];
    require(input, name, type, Accept::numbers);
    const std::vector<int64_t>& axes = input.attributes.integers("axes");
    require_axes(input, name, axes, type.rank());
    Type result{type.dtype, {}};
    for (size_t i = 0; i < type.shape.size(); ++i) {
      if (!contains(axes, i)) result.shape.push_back(type.shape[i]);
    }
    return std::vector<Type>{result};
  };
}

// Folds in increasing order of the operand's row-major index.
template <double (*Combine)(double, double)>
void eval_reduce(EvalContext& c) {
  const Tensor& a = *c.operands[0];
  Tensor& out = c.results[0];
  for (double& x : out.data) x = c.node.op->identity;
  const std::vector<int64_t> kept = kept_axes(c.node);
  const std::vector<int64_t> strides = row_major_strides(out.shape);
  size_t next = 0;
  for_each_index(a.shape, [&](const std::vector<int64_t>& index) {
    int64_t place = 0;
    for (size_t i = 0; i < kept.size(); ++i) {
      place += index[static_cast<size_t>(kept[i])] * strides[i];
    }
    double& x = out.data[static_cast<size_t>(place)];
    x = Combine(x, a.data[next++]);
  });
}

double plus(double a, double b) { return a + b; }
double larger(double a, double b) { return a < b ? b : a; }
double smaller(double a, double b) { return b < a ? b : a; }

ir::Value* spread(VjpContext& c, ir::Value* reduced) {
  return c.b.broadcast(reduced, c.operand(0)->type.shape, kept_axes(c.node));
}

Gradients vjp_sum(VjpContext& c) { return {spread(c, c.gradients[0])}; }

// Equal extremes share the gradient equally.
Gradients vjp_extreme(VjpContext& c) {
  ir::Builder& b = c.b;
  ir::Value* zero = b.constant_like(0, c.operand(0));
  ir::Value* one = b.constant_like(1, c.operand(0));
  ir::Value* equal = b.compare("eq", c.operand(0), spread(c, c.result()));
  ir::Value* count = b.sum(b.select(equal, one, zero), c.node.attributes.integers("axes"));
  return {b.select(equal, spread(c, b.div(c.gradients[0], count)), zero)};
}

std::vector<Sample> samples() {
  const std::vector<std::pair<Shape, std::vector<int64_t>>> cases = {
      {{{1}}, {0}},
      {{{7}}, {0}},
      {{{1031}}, {0}},
      {{{3}, {5}}, {0}},
      {{{3}, {5}}, {1}},
      {{{3}, {5}}, {0, 1}},
      {{{1, true}, {17}}, {1}},
      {{{1, true}, {17}}, {0}},
      {{{1, true}, {3}, {2}}, {0, 2}},
      {{{2}, {3}, {1}, {5}}, {1, 2}},
      {{{2}, {3}, {4}, {5}}, {0, 3}},
      {{{67}, {129}}, {0}},
      {{{67}, {129}}, {1}},
      {{{5}, {1, true}, {33}}, {0, 1}},
  };
  std::vector<Sample> list;
  for (const auto& [shape, axes] : cases) {
    const DType dtype = list.size() % 2 == 0 ? DType::f32 : DType::f64;
    list.push_back({.operands = {{dtype, shape}}, .attributes = {{"axes", axes}}});
  }
  list.push_back({.operands = {{DType::i32, {{5}, {21}}}},
                  .attributes = {{"axes", std::vector<int64_t>{1}}},
                  .low = -9,
                  .high = 9,
                  .differentiable = false});
  return list;
}

const Registration reduce_sum({
    .name = "reduce_sum",
    .family = Family::reduction,
    .doc = "The sum over {axes}, which disappear from the shape.",
    .infer = infer_reduce("reduce_sum"),
    .vjp = vjp_sum,
    .eval = eval_reduce<plus>,
    .lower = lower_binary(kernel::Op::add),
    .adds = true,
    .samples = samples,
});

const Registration reduce_max({
    .name = "reduce_max",
    .family = Family::reduction,
    .doc = "The largest element over {axes}, which disappear from the shape; NaN is passed over. "
           "Elements that equal the result share its gradient equally.",
    .infer = infer_reduce("reduce_max"),
    .vjp = vjp_extreme,
    .eval = eval_reduce<larger>,
    .lower = lower_binary(kernel::Op::max),
    .identity = -kInfinity,
    .samples = samples,
});

const Registration reduce_min({
    .name = "reduce_min",
    .family = Family::reduction,
    .doc = "The smallest element over {axes}, which disappear from the shape; NaN is passed over. "
           "Elements that equal the result share its gradient equally.",
    .infer = infer_reduce("reduce_min"),
    .vjp = vjp_extreme,
    .eval = eval_reduce<smaller>,
    .lower = lower_binary(kernel::Op::min),
    .identity = kInfinity,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
