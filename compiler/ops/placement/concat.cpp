#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

size_t axis_of(const Node& node) { return static_cast<size_t>(node.attributes.integer("axis")); }

std::vector<Type> infer_concat(const InferInput& input) {
  if (input.operands.empty()) reject(input, "concat has nothing to join", "at least one operand");
  Type result = input.operands[0];
  const size_t axis = static_cast<size_t>(input.attributes.integer("axis"));
  const bool fits = axis < result.shape.size() && !result.shape[axis].batch;
  int64_t total = 0;
  for (const Type& type : input.operands) {
    Type stretched = type;
    if (!fits || type.rank() != result.rank() || type.shape[axis].batch) {
      reject(input, "concat cannot join its operands",
             "operands of one rank, joined along an axis that does not count batch rows");
    }
    total += type.shape[axis].size;
    stretched.shape[axis] = result.shape[axis];
    if (stretched != result) {
      reject(input, "concat cannot join its operands",
             "equal types, except for the size of axis " + std::to_string(axis));
    }
  }
  result.shape[axis].size = total;
  return {result};
}

std::vector<ir::Placement> placements(const Node& node) {
  std::vector<ir::Placement> list;
  std::vector<int64_t> starts(node.result()->type.shape.size(), 0);
  for (size_t i = 0; i < node.operands.size(); ++i) {
    list.push_back({static_cast<int>(i), starts});
    starts[axis_of(node)] += node.operands[i]->type.shape[axis_of(node)].size;
  }
  return list;
}

Gradients vjp_concat(VjpContext& c) {
  Gradients gradients;
  for (const ir::Placement& part : placements(c.node)) {
    gradients.push_back(
        c.b.slice(c.gradients[0], part.starts, c.operand(part.operand)->type.shape));
  }
  return gradients;
}

void eval_concat(EvalContext& c) {
  const std::vector<int64_t> strides = row_major_strides(c.results[0].shape);
  for (const ir::Placement& part : placements(c.node)) {
    const Tensor& a = *c.operands[static_cast<size_t>(part.operand)];
    const int64_t base = flat_index(part.starts, strides);
    size_t next = 0;
    for_each_index(a.shape, [&](const std::vector<int64_t>& index) {
      c.results[0].data[static_cast<size_t>(base + flat_index(index, strides))] = a.data[next++];
    });
  }
}

std::vector<Sample> samples() {
  const std::vector<std::pair<std::vector<Shape>, int64_t>> cases = {
      {{{{3}}}, 0},
      {{{{1}}, {{7}}}, 0},
      {{{{3}, {5}}, {{3}, {1}}, {{3}, {4}}}, 1},
      {{{{3}, {5}}, {{2}, {5}}}, 0},
      {{{{1, true}, {13}}, {{1, true}, {6}}}, 1},
      {{{{1, true}, {2}, {3}}, {{1, true}, {4}, {3}}}, 1},
      {{{{2}, {3}, {1}, {5}}, {{2}, {3}, {2}, {5}}}, 2},
      {{{{33}, {65}}, {{33}, {70}}}, 1},
  };
  std::vector<Sample> list;
  for (const auto& [shapes, axis] : cases) {
    for (DType dtype : {DType::f32, DType::f64}) {
      Sample sample{.operands = {}, .attributes = {{"axis", axis}}};
      for (const Shape& shape : shapes) sample.operands.push_back({dtype, shape});
      list.push_back(sample);
    }
  }
  return list;
}

const Registration concat({
    .name = "concat",
    .family = Family::placement,
    .operands = -1,
    .doc = "The operands one after the other along {axis}; other dimensions are equal.",
    .infer = infer_concat,
    .vjp = vjp_concat,
    .eval = eval_concat,
    .placements = placements,
    .cost = 0,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
