#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

using Permutation = std::vector<int64_t>;

std::vector<Type> infer_transpose(const InferInput& input) {
  const Type& type = input.operands[0];
  const Permutation& permutation = input.attributes.integers("permutation");
  std::vector<bool> seen(type.shape.size(), false);
  bool fits = permutation.size() == type.shape.size();
  for (int64_t axis : permutation) {
    fits = fits && axis >= 0 && axis < type.rank() && !seen[static_cast<size_t>(axis)];
    if (!fits) break;
    seen[static_cast<size_t>(axis)] = true;
  }
  if (!fits) {
    reject(input, "transpose has a permutation that does not fit its operand",
           "each axis of the operand once");
  }
  Type result{type.dtype, {}};
  for (int64_t axis : permutation) result.shape.push_back(type.shape[static_cast<size_t>(axis)]);
  return {result};
}

void eval_transpose(EvalContext& c) {
  const std::vector<int64_t> strides = row_major_strides(c.operands[0]->shape);
  const Permutation& permutation = c.node.attributes.integers("permutation");
  size_t next = 0;
  for_each_index(c.results[0].shape, [&](const std::vector<int64_t>& index) {
    int64_t place = 0;
    for (size_t i = 0; i < index.size(); ++i) {
      place += index[i] * strides[static_cast<size_t>(permutation[i])];
    }
    c.results[0].data[next++] = c.operands[0]->data[static_cast<size_t>(place)];
  });
}

Gradients vjp_transpose(VjpContext& c) {
  const Permutation& permutation = c.node.attributes.integers("permutation");
  Permutation inverse(permutation.size());
  for (size_t i = 0; i < permutation.size(); ++i) {
    inverse[static_cast<size_t>(permutation[i])] = static_cast<int64_t>(i);
  }
  return {c.b.transpose(c.gradients[0], inverse)};
}

std::optional<ir::View> view_transpose(const Node& node, const ir::View& view) {
  ir::View result{view.offset, {}};
  for (int64_t axis : node.attributes.integers("permutation")) {
    result.strides.push_back(view.strides[static_cast<size_t>(axis)]);
  }
  return result;
}

std::vector<Sample> samples() {
  const std::vector<std::pair<Shape, Permutation>> cases = {
      {{{3}, {5}}, {1, 0}},
      {{{1}, {7}}, {1, 0}},
      {{{1, true}, {13}}, {1, 0}},
      {{{2}, {3}, {5}}, {2, 0, 1}},
      {{{1, true}, {3}, {4}}, {0, 2, 1}},
      {{{2}, {3}, {1}, {5}}, {3, 1, 0, 2}},
      {{{67}, {41}}, {1, 0}},
  };
  std::vector<Sample> list;
  for (const auto& [shape, permutation] : cases) {
    for (DType dtype : {DType::f32, DType::f64}) {
      list.push_back({.operands = {{dtype, shape}}, .attributes = {{"permutation", permutation}}});
    }
  }
  return list;
}

const Registration transpose({
    .name = "transpose",
    .family = Family::movement,
    .doc = "Axes in another order: dimension i of the result is dimension permutation[i] of the "
           "operand.",
    .infer = infer_transpose,
    .vjp = vjp_transpose,
    .eval = eval_transpose,
    .view = view_transpose,
    .cost = 0,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
