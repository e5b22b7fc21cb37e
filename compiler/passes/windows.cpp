#include "compiler/passes/windows.h"

#include "compiler/ir/windows.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Shape;
using ir::Value;
using ir::Windows;

namespace {

using List = std::vector<int64_t>;

bool side_by_side(const Windows& w) {
  for (size_t i = 0; i < w.axes.size(); ++i) {
    const bool block = w.size[i] == w.stride[i] && w.dilation[i] == 1;
    if (w.size[i] != 1 && !block) return false;
  }
  return true;
}

bool one_element(const Windows& w) {
  for (int64_t size : w.size)
    if (size != 1) return false;
  return true;
}

// Dimensions where each tap stands behind its axis, [b, P, Kh, Q, Kw, C], and the permutation from
// there to the windowed value, [b, P, Q, Kh, Kw, C].
struct Blocks {
  Shape apart;
  List order;

  Blocks(const Windows& w, const Shape& windowed) {
    const size_t first_tap = w.tap(0), behind = w.tap(w.axes.size());
    List taps;
    for (size_t d = 0; d < windowed.size(); ++d) {
      if (d == first_tap) order.insert(order.end(), taps.begin(), taps.end());
      if (d >= first_tap && d < behind) continue;
      order.push_back(static_cast<int64_t>(apart.size()));
      apart.push_back(windowed[d]);
      if (taps.size() == w.axes.size() || w.axes[taps.size()] != static_cast<int64_t>(d)) continue;
      apart.push_back(windowed[w.tap(taps.size())]);
      taps.push_back(order.back() + 1);
    }
  }

  List inverse() const {
    List result(order.size());
    for (size_t i = 0; i < order.size(); ++i)
      result[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
    return result;
  }
};

// The operand without what lies between windows of one element and behind the last block.
Value* covered(const Node& node, const Windows& w, Builder& b) {
  Value* value = node.operands[0];
  Shape kept = value->type.shape;
  List steps(kept.size(), 1);
  for (size_t i = 0; i < w.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(w.axes[i]);
    const int64_t count = node.result()->type.shape[axis].size;
    kept[axis].size = count * w.size[i];
    if (w.size[i] == 1 && count > 1) steps[axis] = w.stride[i];
  }
  return b.slice(value, List(kept.size(), 0), kept, steps);
}

Value* simplify_window(const Node& node, Builder& b) {
  const Windows w = Windows::of(node);
  if (!side_by_side(w)) return nullptr;
  const Shape& windowed = node.result()->type.shape;
  Value* value = covered(node, w, b);
  if (one_element(w)) return b.reshape(value, windowed);
  const Blocks blocks(w, windowed);
  return b.transpose(b.reshape(value, blocks.apart), blocks.order);
}

Value* simplify_fold(const Node& node, Builder& b) {
  const Windows w = Windows::of(node);
  if (!side_by_side(w)) return nullptr;
  Value* value = node.operands[0];
  if (!one_element(w)) {
    const Blocks blocks(w, value->type.shape);
    value = b.transpose(value, blocks.inverse());
  }
  Shape joined = node.result()->type.shape;
  const Shape whole = joined;
  List steps(joined.size(), 1);
  for (size_t i = 0; i < w.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(w.axes[i]);
    joined[axis].size = node.operands[0]->type.shape[axis].size * w.size[i];
    if (w.size[i] == 1) steps[axis] = w.stride[i];
  }
  value = b.reshape(value, joined);
  if (joined == whole) return value;
  return b.op(
      "place", {value},
      {{"shape", whole}, {"starts", List(whole.size(), 0)}, {"steps", steps}, {"value", 0.0}});
}

}  // namespace

Value* simplify_windows(Node& node, Builder& b) {
  if (is_op(&node, "window")) return simplify_window(node, b);
  return is_op(&node, "fold") ? simplify_fold(node, b) : nullptr;
}

}  // namespace nnc::passes
