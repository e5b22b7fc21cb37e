#include "compiler/ir/windows.h"
#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

using ir::Windows;

std::vector<Type> infer_window(const InferInput& input) {
  const Type& type = input.operands[0];
  const Attributes& at = input.attributes;
  const Windows w{at.integers("axes"), at.integers("size"), at.integers("stride"),
                  at.integers("dilation")};
  if (!w.fits(type.shape)) {
    reject(input, "a window does not fit its operand",
           "ascending axes that count no batch rows, and for each of them a size, stride and "
           "dilation of at least 1, with dilation·(size - 1) + 1 elements at hand");
  }
  return {{type.dtype, w.windowed(type.shape)}};
}

void eval_window(EvalContext& c) {
  const Windows w = Windows::of(c.node);
  const std::vector<int64_t> strides = row_major_strides(c.operands[0]->shape);
  size_t next = 0;
  for_each_index(c.results[0].shape, [&](const std::vector<int64_t>& index) {
    c.results[0].data[next++] =
        c.operands[0]->data[static_cast<size_t>(flat_index(w.place(index), strides))];
  });
}

Gradients vjp_window(VjpContext& c) {
  const Attributes& at = c.node.attributes;
  std::vector<int64_t> extent;
  for (int64_t axis : at.integers("axes")) {
    extent.push_back(c.operand(0)->type.shape[static_cast<size_t>(axis)].size);
  }
  return {c.b.op("fold", {c.gradients[0]},
                 {{"axes", at.integers("axes")},
                  {"stride", at.integers("stride")},
                  {"dilation", at.integers("dilation")},
                  {"extent", extent}})};
}

std::optional<ir::View> view_window(const Node& node, const ir::View& view) {
  const Windows w = Windows::of(node);
  ir::View result{view.offset, std::vector<Dim>(node.result()->type.shape.size())};
  for (size_t d = 0; d < view.strides.size(); ++d) result.strides[w.dimension(d)] = view.strides[d];
  for (size_t i = 0; i < w.axes.size(); ++i) {
    const size_t axis = static_cast<size_t>(w.axes[i]);
    const Dim step = view.strides[axis];
    result.strides[axis] = {step.size * w.stride[i], step.batch};
    result.strides[w.tap(i)] = {step.size * w.dilation[i], step.batch};
  }
  return result;
}

std::vector<Sample> samples() {
  using List = std::vector<int64_t>;
  struct Case {
    Shape shape;
    List axes, size, stride, dilation;
  };
  const std::vector<Case> cases = {
      {{{7}}, {0}, {3}, {1}, {1}},
      {{{1}}, {0}, {1}, {1}, {1}},
      {{{12}}, {0}, {2}, {3}, {2}},
      {{{1, true}, {9}, {3}}, {1}, {3}, {2}, {1}},
      {{{1, true}, {5}, {6}, {1}}, {1, 2}, {3, 2}, {1, 2}, {1, 1}},
      {{{1, true}, {7}, {8}, {5}}, {1, 2}, {3, 3}, {2, 2}, {1, 2}},
      {{{1, true}, {1}, {1}, {4}}, {1, 2}, {1, 1}, {1, 1}, {1, 1}},
      {{{1, true}, {6}, {7}, {17}}, {1, 2}, {2, 2}, {2, 2}, {1, 1}},
      {{{2}, {1, true}, {5}, {4}}, {2}, {2}, {1}, {1}},
      {{{1, true}, {4}, {5}, {3}, {2}}, {1, 2, 3}, {2, 3, 1}, {1, 1, 2}, {2, 1, 1}},
      {{{5}, {3}, {6}}, {0, 2}, {2, 3}, {1, 1}, {1, 2}},
  };
  std::vector<Sample> list;
  for (const Case& item : cases) {
    const DType dtype = list.size() % 2 == 0 ? DType::f32 : DType::f64;
    list.push_back({.operands = {{dtype, item.shape}},
                    .attributes = {{"axes", item.axes},
                                   {"size", item.size},
                                   {"stride", item.stride},
                                   {"dilation", item.dilation}}});
  }
  return list;
}

const Registration window({
    .name = "window",
    .family = Family::movement,
    .doc = "Windows that slide along {axes}: [b,H,W,C] -> [b,P,Q,Kh,Kw,C] for two axes. Element i "
           "of window p is element p·{stride} + i·{dilation}; there are "
           "(extent - dilation·({size} - 1) - 1) / stride + 1 windows, rounded down. The elements "
           "of a window stand behind the last windowed axis. Nothing is copied.",
    .infer = infer_window,
    .vjp = vjp_window,
    .eval = eval_window,
    .view = view_window,
    .cost = 0,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
