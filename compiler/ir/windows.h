// The geometry that `window` and its adjoint `fold` share: along each windowed axis, element i of
// window p is element p·stride + i·dilation of the whole. A window's elements (its taps) are
// dimensions of their own, behind the last windowed axis: [b, H, W, C] <-> [b, P, Q, Kh, Kw, C].
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::ir {

struct Windows {
  std::vector<int64_t> axes, size, stride, dilation;  // one entry for each windowed axis

  // Of a `window` or a `fold` node.
  static Windows of(const Node& node);

  // Distance from the first to behind the last element of a window.
  int64_t reach(size_t w) const { return dilation[w] * (size[w] - 1) + 1; }
  // How many windows an axis of this extent holds.
  int64_t count(size_t w, int64_t extent) const { return (extent - reach(w)) / stride[w] + 1; }
  // The dimension of the windowed value that holds the taps of axis `w`.
  size_t tap(size_t w) const { return static_cast<size_t>(axes.back()) + 1 + w; }
  // The dimension of the windowed value that dimension `d` of the whole becomes.
  size_t dimension(size_t d) const;

  // Whether the lists agree with each other and with a value of this shape.
  bool fits(const Shape& whole) const;
  Shape windowed(const Shape& whole) const;
  // The element of the whole for an element of the windowed value.
  std::vector<int64_t> place(const std::vector<int64_t>& index) const;
};

}  // namespace nnc::ir
