#include "compiler/layers/convolve.h"

namespace nnc::layers {

using ir::Builder;
using ir::Dim;
using ir::Shape;
using ir::Value;

namespace {

using Axes = std::vector<int64_t>;

Axes counting(size_t from, size_t count) {
  Axes axes;
  for (size_t i = 0; i < count; ++i) axes.push_back(static_cast<int64_t>(from + i));
  return axes;
}

Dim fixed(int64_t size) { return {size, false}; }

// [.., C] -> [.., groups, C / groups]
Value* split_last(Builder& b, Value* x, int64_t groups) {
  Shape shape = x->type.shape;
  const int64_t each = shape.back().size / groups;
  shape.back() = fixed(groups);
  shape.push_back(fixed(each));
  return b.reshape(x, shape);
}

Value* join_last(Builder& b, Value* x) {
  Shape shape = x->type.shape;
  const int64_t last = shape.back().size;
  shape.pop_back();
  shape.back().size *= last;
  return b.reshape(x, shape);
}

// [b, E…, C] -> [groups, b, E…, C / groups], and back.
Value* groups_first(Builder& b, Value* x, int64_t groups) {
  Value* split = split_last(b, x, groups);
  const size_t rank = split->type.shape.size();
  Axes order = counting(0, rank);
  order.erase(order.end() - 2);
  order.insert(order.begin(), static_cast<int64_t>(rank) - 2);
  return b.transpose(split, order);
}

Value* groups_last(Builder& b, Value* x) {
  const size_t rank = x->type.shape.size();
  Axes order = counting(1, rank - 1);
  order.insert(order.end() - 1, 0);
  return join_last(b, b.transpose(x, order));
}

// [K…, C / groups, F] -> [K…, C / groups, groups, F / groups]
Value* grouped_kernel(Builder& b, Value* kernel, int64_t groups) {
  return split_last(b, kernel, groups);
}

}  // namespace

Value* convolve(Builder& b, Value* x, Value* kernel, const Sliding& sliding, int64_t groups) {
  const size_t n = sliding.axes();
  x = padded(b, x, sliding);
  if (groups == 1)
    return b.contract(windows(b, x, sliding), kernel, counting(n + 1, n + 1), counting(0, n + 1));
  const Shape& shape = kernel->type.shape;
  if (shape[n].size == 1) {  // one channel in each group
    Shape by_channel = shape;
    by_channel[n] = fixed(groups);
    by_channel[n + 1] = fixed(shape[n + 1].size / groups);
    Sliding rest = sliding;
    rest.before = rest.after = Axes(n, 0);
    return convolve_channels(b, x, b.reshape(kernel, by_channel), rest);
  }
  Value* apart = windows(b, groups_first(b, x, groups), sliding, 2);
  return groups_last(b, b.contract(apart, grouped_kernel(b, kernel, groups), counting(n + 2, n + 1),
                                   counting(0, n + 1), {0}, {static_cast<int64_t>(n + 1)}));
}

Value* convolve_transposed(Builder& b, Value* x, Value* kernel, const Sliding& sliding,
                           const Axes& extents, int64_t groups) {
  const size_t n = sliding.axes();
  const auto folded = [&](Value* parts, size_t first) {
    return b.op("fold", {parts},
                {{"axes", counting(first, n)},
                 {"stride", sliding.stride},
                 {"dilation", sliding.dilation},
                 {"extent", extents}});
  };
  const Axes channels{static_cast<int64_t>(n)};
  if (groups == 1) return folded(b.contract(x, kernel, {static_cast<int64_t>(n) + 1}, channels), 1);
  Value* parts =
      b.contract(groups_first(b, x, groups), grouped_kernel(b, kernel, groups),
                 {static_cast<int64_t>(n) + 2}, channels, {0}, {static_cast<int64_t>(n) + 1});
  return groups_last(b, folded(parts, 2));
}

Value* convolve_channels(Builder& b, Value* x, Value* kernel, const Sliding& sliding) {
  const size_t n = sliding.axes();
  Value* parts = windows(b, padded(b, x, sliding), sliding);  // [b, P…, K…, C]
  const Axes taps = counting(n + 1, n);
  Shape shape = kernel->type.shape;
  if (shape.back().size == 1) {
    shape.pop_back();
    return b.sum(b.mul(parts, b.reshape(kernel, shape)), taps);
  }
  Shape with_multiplier = parts->type.shape;
  with_multiplier.push_back(fixed(1));
  return join_last(b, b.sum(b.mul(b.reshape(parts, with_multiplier), kernel), taps));
}

}  // namespace nnc::layers
