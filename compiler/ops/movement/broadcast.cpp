#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

std::vector<Type> infer_broadcast(const InferInput& input) {
  const Type& type = input.operands[0];
  const Shape& shape = input.attributes.shape("shape");
  const std::vector<int64_t>& axes = input.attributes.integers("axes");
  require_axes(input, "broadcast", axes, static_cast<int>(shape.size()));
  if (axes.size() != type.shape.size()) {
    reject(input, "broadcast has the wrong number of axes",
           "one axis for each dimension of the operand");
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    const Dim& to = shape[static_cast<size_t>(axes[i])];
    if (type.shape[i] != to && type.shape[i] != Dim{}) {
      reject(input, "broadcast cannot stretch its operand",
             "dimensions that are 1 or those of " + to_string(shape, input.batch));
    }
  }
  return {{type.dtype, shape}};
}

// Where dimension i of the operand is stretched from 1.
bool stretched(const Node& node, size_t i) {
  const size_t axis = static_cast<size_t>(node.attributes.integers("axes")[i]);
  return node.operands[0]->type.shape[i] != node.result()->type.shape[axis];
}

// The sum over everything that was repeated.
Gradients vjp_broadcast(VjpContext& c) {
  std::vector<bool> repeated(c.result()->type.shape.size(), true);
  const std::vector<int64_t>& axes = c.node.attributes.integers("axes");
  for (size_t i = 0; i < axes.size(); ++i) {
    repeated[static_cast<size_t>(axes[i])] = stretched(c.node, i);
  }
  std::vector<int64_t> sums;
  for (size_t i = 0; i < repeated.size(); ++i) {
    if (repeated[i]) sums.push_back(static_cast<int64_t>(i));
  }
  return {c.b.reshape(c.b.sum(c.gradients[0], sums), c.operand(0)->type.shape)};
}

void eval_broadcast(EvalContext& c) {
  const Tensor& a = *c.operands[0];
  const std::vector<int64_t> strides = row_major_strides(a.shape);
  const std::vector<int64_t>& axes = c.node.attributes.integers("axes");
  size_t next = 0;
  for_each_index(c.results[0].shape, [&](const std::vector<int64_t>& index) {
    int64_t place = 0;
    for (size_t i = 0; i < axes.size(); ++i) {
      if (a.shape[i] != 1) place += index[static_cast<size_t>(axes[i])] * strides[i];
    }
    c.results[0].data[next++] = a.data[static_cast<size_t>(place)];
  });
}

std::optional<ir::View> view_broadcast(const Node& node, const ir::View& view) {
  const std::vector<int64_t>& axes = node.attributes.integers("axes");
  ir::View result{view.offset, std::vector<Dim>(node.result()->type.shape.size(), Dim{0, false})};
  for (size_t i = 0; i < axes.size(); ++i) {
    if (!stretched(node, i)) result.strides[static_cast<size_t>(axes[i])] = view.strides[i];
  }
  return result;
}

std::vector<Sample> samples() {
  struct Case {
    Shape from, to;
    std::vector<int64_t> axes;
  };
  const std::vector<Case> cases = {
      {{}, {{1}}, {}},
      {{}, {{3}, {5}}, {}},
      {{{7}}, {{1, true}, {7}}, {1}},
      {{{7}}, {{7}, {13}}, {0}},
      {{{1}}, {{1, true}, {19}}, {1}},
      {{{3}, {1}}, {{3}, {17}}, {0, 1}},
      {{{3}, {5}}, {{3}, {2}, {5}, {4}}, {0, 2}},
      {{{1, true}, {1}}, {{1, true}, {33}}, {0, 1}},
      {{{1, true}}, {{1, true}, {33}}, {0}},
      {{{131}}, {{37}, {131}}, {1}},
  };
  std::vector<Sample> list;
  for (const Case& item : cases) {
    const DType dtype = list.size() % 2 == 0 ? DType::f32 : DType::f64;
    list.push_back({.operands = {{dtype, item.from}},
                    .attributes = {{"shape", item.to}, {"axes", item.axes}}});
  }
  return list;
}

const Registration broadcast({
    .name = "broadcast",
    .family = Family::movement,
    .doc =
        "Dimension i of the operand becomes dimension axes[i] (ascending) of {shape}; the others "
        "are new, and a dimension of 1 stretches. The gradient sums over the repetitions.",
    .infer = infer_broadcast,
    .vjp = vjp_broadcast,
    .eval = eval_broadcast,
    .view = view_broadcast,
    .cost = 0,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
