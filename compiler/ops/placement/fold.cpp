#include "compiler/ir/windows.h"
#include "compiler/ops/record.h"
#include "compiler/support/diagnostics.h"
#include "runtime/shape.h"

namespace nnc::ops {
namespace {

using ir::Windows;

// The whole that the operand is windows of: the extents of its windowed axes are attributes.
Shape whole_shape(const Windows& w, const Shape& windowed, const std::vector<int64_t>& extent) {
  Shape whole(windowed.size() - w.axes.size());
  for (size_t d = 0; d < whole.size(); ++d) whole[d] = windowed[w.dimension(d)];
  for (size_t i = 0; i < w.axes.size(); ++i) whole[static_cast<size_t>(w.axes[i])].size = extent[i];
  return whole;
}

std::vector<Type> infer_fold(const InferInput& input) {
  const Type& type = input.operands[0];
  require(input, "fold", type, Accept::numbers);
  const Attributes& at = input.attributes;
  Windows w{at.integers("axes"), {}, at.integers("stride"), at.integers("dilation")};
  const std::vector<int64_t>& extent = at.integers("extent");
  const size_t axes = w.axes.size();
  bool fits = axes > 0 && extent.size() == axes && w.axes.back() >= 0 &&
              w.tap(axes - 1) < type.shape.size();
  for (size_t i = 0; fits && i < axes; ++i) w.size.push_back(type.shape[w.tap(i)].size);
  Type result{type.dtype, {}};
  if (fits) {
    result.shape = whole_shape(w, type.shape, extent);
    fits = w.fits(result.shape) && w.windowed(result.shape) == type.shape;
  }
  if (!fits) {
    reject(input, "fold does not fit its operand",
           "an operand that is the shape of windows over {extent} elements of {axes}");
  }
  return {result};
}

// Each tap is code of its own.
constexpr int64_t most_taps = int64_t{1} << 16;

void check_taps(const Node& node, const Windows& w) {
  if (elements_of(w.size) <= most_taps) return;
  std::string size;
  for (const int64_t extent : w.size) size += (size.empty() ? "" : " × ") + std::to_string(extent);
  throw UserError(node.span, "windows of this size cannot be added up",
                  "at most " + std::to_string(most_taps) + " elements in each", size);
}

// Each tap of all windows is one strided copy.
std::vector<ir::Placement> placements(const Node& node) {
  const Windows w = Windows::of(node);
  check_taps(node, w);
  const size_t rank = node.result()->type.shape.size();
  std::vector<ir::Placement> list;
  for_each_index(w.size, [&](const std::vector<int64_t>& tap) {
    ir::Placement part{.starts = std::vector<int64_t>(rank, 0),
                       .steps = std::vector<int64_t>(rank, 1),
                       .fixed = std::vector<int64_t>(rank + w.axes.size(), -1)};
    for (size_t i = 0; i < w.axes.size(); ++i) {
      part.starts[static_cast<size_t>(w.axes[i])] = tap[i] * w.dilation[i];
      part.steps[static_cast<size_t>(w.axes[i])] = w.stride[i];
      part.fixed[w.tap(i)] = tap[i];
    }
    list.push_back(std::move(part));
  });
  return list;
}

Gradients vjp_fold(VjpContext& c) {
  const Attributes& at = c.node.attributes;
  return {c.b.op("window", {c.gradients[0]},
                 {{"axes", at.integers("axes")},
                  {"size", Windows::of(c.node).size},
                  {"stride", at.integers("stride")},
                  {"dilation", at.integers("dilation")}})};
}

void eval_fold(EvalContext& c) {
  const Windows w = Windows::of(c.node);
  const std::vector<int64_t> strides = row_major_strides(c.results[0].shape);
  size_t next = 0;
  for_each_index(c.operands[0]->shape, [&](const std::vector<int64_t>& index) {
    c.results[0].data[static_cast<size_t>(flat_index(w.place(index), strides))] +=
        c.operands[0]->data[next++];
  });
}

std::vector<Sample> samples() {
  using List = std::vector<int64_t>;
  struct Case {
    Shape windows;
    List axes, stride, dilation, extent;
  };
  const std::vector<Case> cases = {
      {{{5}, {3}}, {0}, {1}, {1}, {7}},
      {{{1}, {1}}, {0}, {1}, {1}, {1}},
      {{{4}, {2}}, {0}, {3}, {2}, {13}},
      {{{1, true}, {4}, {3}, {3}}, {1}, {2}, {1}, {9}},
      {{{1, true}, {3}, {3}, {3}, {2}, {1}}, {1, 2}, {1, 2}, {1, 1}, {5, 7}},
      {{{1, true}, {3}, {2}, {3}, {3}, {5}}, {1, 2}, {2, 2}, {1, 2}, {7, 8}},
      {{{1, true}, {3}, {3}, {2}, {2}, {17}}, {1, 2}, {2, 2}, {1, 1}, {6, 7}},
      {{{2}, {1, true}, {4}, {2}, {4}}, {2}, {1}, {1}, {5}},
      {{{3}, {4}, {2}, {2}, {3}}, {0, 1}, {1, 1}, {1, 1}, {4, 5}},
      {{{4}, {3}, {2}, {2}, {3}}, {0, 2}, {1, 1}, {1, 2}, {5, 6}},
      {{{35}, {2}, {33}}, {0}, {1}, {3}, {38}},
  };
  std::vector<Sample> list;
  for (const Case& item : cases) {
    for (DType dtype : {DType::f32, DType::f64}) {
      list.push_back({.operands = {{dtype, item.windows}},
                      .attributes = {{"axes", item.axes},
                                     {"stride", item.stride},
                                     {"dilation", item.dilation},
                                     {"extent", item.extent}}});
    }
  }
  return list;
}

const Registration fold({
    .name = "fold",
    .family = Family::placement,
    .doc = "Windows put back where `window` took them from, sums where they overlap and 0 where "
           "there is none (overlap-add): [b,P,Q,Kh,Kw,C] -> [b,H,W,C] for two {axes}. {extent} "
           "gives H and W, {stride} and {dilation} are those of the windows.",
    .infer = infer_fold,
    .vjp = vjp_fold,
    .eval = eval_fold,
    .placements = placements,
    .accumulates = true,
    .cost = 1,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
