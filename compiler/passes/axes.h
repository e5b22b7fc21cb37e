// Lists of axes, as contractions and placements name them in their attributes.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::passes {

using Axes = std::vector<int64_t>;

// An attribute that may be left out.
inline Axes axes_of(const ir::Node& node, const std::string& key) {
  return node.attributes.has(key) ? node.attributes.integers(key) : Axes{};
}

inline bool contains(const Axes& axes, int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

// The axes of an operand that are neither summed nor paired, in order.
inline Axes free_axes(const ir::Value* operand, const Axes& summed, const Axes& batch = {}) {
  Axes free;
  for (int64_t axis = 0; axis < operand->type.rank(); ++axis)
    if (!contains(summed, axis) && !contains(batch, axis)) free.push_back(axis);
  return free;
}

}  // namespace nnc::passes
