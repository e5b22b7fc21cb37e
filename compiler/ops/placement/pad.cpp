#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

std::vector<Type> infer_pad(const InferInput& input) {
  Type result = input.operands[0];
  const std::vector<int64_t>& low = input.attributes.integers("low");
  const std::vector<int64_t>& high = input.attributes.integers("high");
  bool fits = low.size() == result.shape.size() && high.size() == result.shape.size();
  for (size_t i = 0; fits && i < low.size(); ++i) {
    fits = low[i] >= 0 && high[i] >= 0 && (!result.shape[i].batch || low[i] + high[i] == 0);
    result.shape[i].size += low[i] + high[i];
  }
  if (!fits) {
    reject(input, "pad does not fit its operand",
           "low and high of at least 0 for each dimension, and 0 where it counts batch rows");
  }
  return {result};
}

std::vector<ir::Placement> placements(const Node& node) {
  return {{0, node.attributes.integers("low")}};
}

void eval_pad(EvalContext& c) {
  Tensor& out = c.results[0];
  for (double& x : out.data) x = c.node.attributes.number("value");
  const std::vector<int64_t> strides = row_major_strides(out.shape);
  const int64_t base = flat_index(c.node.attributes.integers("low"), strides);
  size_t next = 0;
  for_each_index(c.operands[0]->shape, [&](const std::vector<int64_t>& index) {
    out.data[static_cast<size_t>(base + flat_index(index, strides))] = c.operands[0]->data[next++];
  });
}

std::vector<Sample> samples() {
  struct Case {
    Shape shape;
    std::vector<int64_t> low, high;
  };
  const std::vector<Case> cases = {
      {{{1}}, {2}, {0}},
      {{{7}}, {1}, {3}},
      {{{1, true}, {5}}, {0, 2}, {0, 1}},
      {{{3}, {5}}, {1, 0}, {0, 2}},
      {{{1, true}, {4}, {3}}, {0, 1, 1}, {0, 1, 1}},
      {{{2}, {3}, {1}, {5}}, {0, 1, 2, 0}, {1, 0, 0, 3}},
      {{{33}, {65}}, {2, 3}, {1, 4}},
  };
  std::vector<Sample> list;
  for (const Case& item : cases) {
    const double value = list.size() % 3 == 0 ? 0.5 : 0.0;
    for (DType dtype : {DType::f32, DType::f64}) {
      list.push_back({.operands = {{dtype, item.shape}},
                      .attributes = {{"low", item.low}, {"high", item.high}, {"value", value}}});
    }
  }
  return list;
}

const Registration pad({
    .name = "pad",
    .family = Family::placement,
    .doc = "The operand with {low} elements of {value} before and {high} after it, per dimension.",
    .infer = infer_pad,
    .vjp =
        [](VjpContext& c) {
          return Gradients{c.b.slice(c.gradients[0], c.node.attributes.integers("low"),
                                     c.operand(0)->type.shape)};
        },
    .eval = eval_pad,
    .placements = placements,
    .cost = 0,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
