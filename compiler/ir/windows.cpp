#include "compiler/ir/windows.h"

namespace nnc::ir {

Windows Windows::of(const Node& node) {
  const Attributes& at = node.attributes;
  Windows w{at.integers("axes"), {}, at.integers("stride"), at.integers("dilation")};
  if (at.has("size")) {
    w.size = at.integers("size");
  } else {  // the operand of a fold shows the taps
    const Shape& from = node.operands[0]->type.shape;
    for (size_t i = 0; i < w.axes.size(); ++i) w.size.push_back(from.at(w.tap(i)).size);
  }
  return w;
}

size_t Windows::dimension(size_t d) const {
  return d <= static_cast<size_t>(axes.back()) ? d : d + axes.size();
}

bool Windows::fits(const Shape& whole) const {
  if (axes.empty() || size.size() != axes.size() || stride.size() != axes.size() ||
      dilation.size() != axes.size())
    return false;
  int64_t last = -1;
  for (size_t w = 0; w < axes.size(); ++w) {
    if (axes[w] <= last || axes[w] >= static_cast<int64_t>(whole.size())) return false;
    last = axes[w];
    const Dim& dim = whole[static_cast<size_t>(last)];
    if (dim.batch || size[w] < 1 || stride[w] < 1 || dilation[w] < 1 || reach(w) > dim.size)
      return false;
  }
  return true;
}

Shape Windows::windowed(const Shape& whole) const {
  Shape result(whole.size() + axes.size());
  for (size_t d = 0; d < whole.size(); ++d) result[dimension(d)] = whole[d];
  for (size_t w = 0; w < axes.size(); ++w) {
    Dim& dim = result[static_cast<size_t>(axes[w])];
    dim.size = count(w, dim.size);
    result[tap(w)] = Dim{size[w], false};
  }
  return result;
}

std::vector<int64_t> Windows::place(const std::vector<int64_t>& index) const {
  std::vector<int64_t> result(index.size() - axes.size());
  for (size_t d = 0; d < result.size(); ++d) result[d] = index[dimension(d)];
  for (size_t w = 0; w < axes.size(); ++w) {
    int64_t& at = result[static_cast<size_t>(axes[w])];
    at = at * stride[w] + index[tap(w)] * dilation[w];
  }
  return result;
}

}  // namespace nnc::ir
