#include <algorithm>

#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

int64_t step_of(const Attributes& attributes, size_t axis) {
  return attributes.has("steps") ? attributes.integers("steps").at(axis) : 1;
}

std::vector<Type> infer_slice(const InferInput& input) {
  const Type& type = input.operands[0];
  const Shape& shape = input.attributes.shape("shape");
  const std::vector<int64_t>& starts = input.attributes.integers("starts");
  const bool stepped = input.attributes.has("steps");
  bool fits = starts.size() == type.shape.size() && shape.size() == type.shape.size() &&
              (!stepped || input.attributes.integers("steps").size() == type.shape.size());
  for (size_t i = 0; fits && i < shape.size(); ++i) {
    const int64_t step = step_of(input.attributes, i);
    if (shape[i].batch || type.shape[i].batch) {
      fits = shape[i] == type.shape[i] && starts[i] == 0 && step == 1;
    } else {
      const int64_t last = starts[i] + (shape[i].size - 1) * step;
      fits = step != 0 && shape[i].size >= 1 && std::min(starts[i], last) >= 0 &&
             std::max(starts[i], last) < type.shape[i].size;
    }
  }
  if (!fits) {
    reject(input, "slice " + to_string(shape, input.batch) + " does not lie within its operand",
           "starts and steps that stay inside each dimension, and whole dimensions of batch rows");
  }
  return {{type.dtype, shape}};
}

void eval_slice(EvalContext& c) {
  const std::vector<int64_t> strides = row_major_strides(c.operands[0]->shape);
  const std::vector<int64_t>& starts = c.node.attributes.integers("starts");
  size_t next = 0;
  for_each_index(c.results[0].shape, [&](const std::vector<int64_t>& index) {
    int64_t place = 0;
    for (size_t i = 0; i < index.size(); ++i) {
      place += (starts[i] + index[i] * step_of(c.node.attributes, i)) * strides[i];
    }
    c.results[0].data[next++] = c.operands[0]->data[static_cast<size_t>(place)];
  });
}

// The gradient at its place, zero elsewhere.
Gradients vjp_slice(VjpContext& c) {
  const Shape& whole = c.operand(0)->type.shape;
  const Shape& part = c.gradients[0]->type.shape;
  const std::vector<int64_t>& starts = c.node.attributes.integers("starts");
  if (c.node.attributes.has("steps")) {
    return {c.b.op("place", {c.gradients[0]},
                   {{"shape", whole},
                    {"starts", starts},
                    {"steps", c.node.attributes.integers("steps")},
                    {"value", 0.0}})};
  }
  std::vector<int64_t> high(starts.size(), 0);
  for (size_t i = 0; i < whole.size(); ++i) {
    if (!whole[i].batch) high[i] = whole[i].size - starts[i] - part[i].size;
  }
  return {c.b.pad(c.gradients[0], starts, high)};
}

std::optional<ir::View> view_slice(const Node& node, const ir::View& view) {
  ir::View result = view;
  const std::vector<int64_t>& starts = node.attributes.integers("starts");
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t step = step_of(node.attributes, i);
    if (starts[i] != 0 && view.strides[i].batch) return std::nullopt;  // an offset is a number
    result.offset += starts[i] * view.strides[i].size;
    result.strides[i].size *= step;
  }
  return result;
}

std::vector<Sample> samples() {
  struct Case {
    Shape from;
    std::vector<int64_t> starts;
    Shape to;
    std::vector<int64_t> steps;
  };
  const std::vector<Case> cases = {
      {{{7}}, {2}, {{1}}, {}},
      {{{7}}, {0}, {{5}}, {}},
      {{{1, true}, {13}}, {0, 3}, {{1, true}, {7}}, {}},
      {{{3}, {5}}, {1, 0}, {{2}, {5}}, {}},
      {{{11}}, {1}, {{4}}, {3}},
      {{{1, true}, {9}, {4}}, {0, 1, 0}, {{1, true}, {3}, {2}}, {1, 3, 2}},
      {{{2}, {3}, {4}, {5}}, {1, 0, 2, 1}, {{1}, {3}, {2}, {2}}, {1, 1, 1, 3}},
      {{{70}, {35}}, {3, 1}, {{66}, {33}}, {}},
      {{{7}}, {6}, {{7}}, {-1}},
      {{{1, true}, {6}, {5}}, {0, 5, 3}, {{1, true}, {3}, {2}}, {1, -2, -1}},
  };
  std::vector<Sample> list;
  for (const Case& item : cases) {
    for (DType dtype : {DType::f32, DType::f64}) {
      Sample sample{.operands = {{dtype, item.from}},
                    .attributes = {{"starts", item.starts}, {"shape", item.to}}};
      if (!item.steps.empty()) sample.attributes.set("steps", item.steps);
      list.push_back(sample);
    }
  }
  return list;
}

const Registration slice({
    .name = "slice",
    .family = Family::movement,
    .doc = "A block of {shape}: element i of a dimension is element starts + i·steps of the "
           "operand's ({steps} is 1 if left out, negative: backwards). Dimensions of batch rows "
           "are taken whole.",
    .infer = infer_slice,
    .vjp = vjp_slice,
    .eval = eval_slice,
    .view = view_slice,
    .cost = 0,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
