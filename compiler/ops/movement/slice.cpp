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
      fits = starts[i] >= 0 && step >= 1 && shape[i].size >= 1 &&
             starts[i] + (shape[i].size - 1) * step < type.shape[i].size;
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

// Puts step - 1 zeros after every element of one axis, as far as the axis of length `room` reaches:
// [.., n, ..] -> [.., n, 1, ..] -> [.., n, step, ..] -> [.., n·step, ..] -> [.., at most room, ..].
ir::Value* dilate(ir::Builder& b, ir::Value* g, size_t axis, int64_t step, int64_t room) {
  Shape split = g->type.shape;
  split.insert(split.begin() + static_cast<std::ptrdiff_t>(axis) + 1, Dim{1, false});
  std::vector<int64_t> low(split.size(), 0), high(split.size(), 0);
  high[axis + 1] = step - 1;
  Shape merged = g->type.shape;
  merged[axis].size *= step;
  g = b.reshape(b.pad(b.reshape(g, split), low, high), merged);
  merged[axis].size = std::min(merged[axis].size, room);
  return b.slice(g, std::vector<int64_t>(merged.size(), 0), merged);
}

// The gradient at its place, zero elsewhere.
Gradients vjp_slice(VjpContext& c) {
  const Shape& whole = c.operand(0)->type.shape;
  std::vector<int64_t> low = c.node.attributes.integers("starts");
  std::vector<int64_t> high(low.size(), 0);
  ir::Value* g = c.gradients[0];
  for (size_t i = 0; i < whole.size(); ++i) {
    if (whole[i].batch) continue;
    const int64_t step = step_of(c.node.attributes, i);
    if (step > 1) g = dilate(c.b, g, i, step, whole[i].size - low[i]);
    high[i] = whole[i].size - low[i] - g->type.shape[i].size;
  }
  return {c.b.pad(g, low, high)};
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
           "operand's ({steps} is 1 if left out). Dimensions of batch rows are taken whole.",
    .infer = infer_slice,
    .vjp = vjp_slice,
    .eval = eval_slice,
    .view = view_slice,
    .cost = 0,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
