#include "compiler/kernel/zero_borders.h"

#include <algorithm>

#include "compiler/kernel/views.h"

namespace nnc::kernel {

namespace {

// The node that makes what a region reads through a parameter.
const ir::Node* maker_of(const ir::Node& group, const ir::Value* param) {
  const auto& params = group.region->params;
  for (size_t p = 0; p < params.size(); ++p) {
    if (params[p].value.get() != param) continue;
    const ir::Value* operand = group.operands[p];
    if (!operand->node || !operand->node->region) return nullptr;
    return operand->node->region->outputs[static_cast<size_t>(operand->index)].value->node;
  }
  return nullptr;
}

// How the loops of a product move along one dimension of A, in steps of this dimension.
class Walk {
 public:
  Walk(const ContractionMap& map, const ir::Shape& shape, size_t dimension)
      : stride_(row_major(shape).strides[dimension].size),
        whole_(stride_ * shape[dimension].size),
        extent_(shape[dimension].size) {
    first_ = map.a_offset % whole_ / stride_;
    last_ = first_;
    inside_ = map.a_offset % stride_;
    affine_ = map.a_offset >= 0;
    for (size_t i = 0; i < map.outer.size(); ++i)
      if (const auto step = step_of(map.outer[i])) take(border_.pixel, border_.scale, i, *step);
    if (step_of(map.m)) affine_ = false;
    std::optional<size_t> tap;
    for (size_t i = 0; i < map.k.size(); ++i)
      if (const auto step = step_of(map.k[i])) take(tap, border_.step, i, *step);
    affine_ = affine_ && tap && inside_ < stride_ && last_ < extent_;
    border_.tap = tap.value_or(0);
  }

  // Where zeros are the first `low` and the last `high`; nothing if no step meets them.
  std::optional<Border> border(int64_t low, int64_t high) const {
    if (!affine_ || (first_ >= low && last_ < extent_ - high)) return std::nullopt;
    Border border = border_;
    border.first = low - first_;
    border.extent = extent_ - low - high;
    return border;
  }

 private:
  // Of a loop along this dimension; loops along others only have to stay where they are.
  std::optional<int64_t> step_of(const MapDim& dim) {
    if (dim.a.size == 0 || dim.extent == ir::Dim{1, false}) return std::nullopt;
    if (dim.a.batch || dim.a.size < 0) affine_ = false;
    if (dim.a.size % whole_ == 0) return std::nullopt;
    if (dim.extent.batch) affine_ = false;
    const int64_t reach = (dim.extent.size - 1) * dim.a.size;
    if (dim.a.size % stride_ == 0) {
      last_ += reach / stride_;
      return dim.a.size / stride_;
    }
    inside_ += reach;
    return std::nullopt;
  }

  void take(std::optional<size_t>& loop, int64_t& of_loop, size_t i, int64_t step) {
    if (loop) affine_ = false;
    loop = i;
    of_loop = step;
  }

  int64_t stride_, whole_, extent_;
  int64_t first_ = 0, last_ = 0;  // steps that the loops come to
  int64_t inside_ = 0;            // elements within a step
  bool affine_ = true;
  Border border_;
};

}  // namespace

std::vector<Border> zero_borders(const ir::Node& group, const ContractionMap& map) {
  const ir::Node* pad = maker_of(group, map.a);
  if (!is_zero_padding(pad)) return {};
  std::vector<Border> borders;
  const ir::Shape& shape = map.a->type.shape;
  const auto& low = pad->attributes.integers("low");
  const auto& high = pad->attributes.integers("high");
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d].batch || (low[d] == 0 && high[d] == 0)) continue;
    if (const auto border = Walk(map, shape, d).border(low[d], high[d])) borders.push_back(*border);
  }
  return borders;
}

// Borders lie along different dimensions, so that the shares are independent.
double share_inside(const std::vector<Border>& borders, const ContractionMap& map) {
  double share = 1;
  for (const Border& border : borders) {
    const int64_t pixels = border.pixel ? map.outer[*border.pixel].extent.size : 1;
    const int64_t taps = map.k[border.tap].extent.size;
    int64_t inside = 0;
    for (int64_t pixel = 0; pixel < pixels; ++pixel)
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t at = border.scale * pixel + border.step * tap - border.first;
        inside += at >= 0 && at < border.extent ? 1 : 0;
      }
    share *= static_cast<double>(inside) / static_cast<double>(pixels * taps);
  }
  return share;
}

namespace {

// x / step, rounded up; not negative.
Value steps_to(Builder& k, Value x, int64_t step) {
  x = k.max(x, k.i64(0));
  return step == 1 ? x : k.div(k.add(x, k.i64(step - 1)), k.i64(step));
}

}  // namespace

Steps steps_inside(Builder& k, const Border& border, Value pixel) {
  Value first = k.i64(border.first);
  if (pixel) first = k.sub(first, k.mul(pixel, k.i64(border.scale)));
  const Value behind = k.add(first, k.i64(border.extent));
  const Value begin = steps_to(k, first, border.step);
  return {begin, steps_to(k, behind, border.step)};
}

void leave_out_zeros(Builder& k, const std::vector<Border>& borders, size_t loop,
                     const std::vector<Value>& outer, Value& begin, Value& end) {
  for (const Border& border : borders) {
    if (border.tap != loop) continue;
    const Steps inside = steps_inside(k, border, border.pixel ? outer[*border.pixel] : Value{});
    begin = k.max(begin, inside.begin);
    end = k.min(end, inside.behind);
  }
}

}  // namespace nnc::kernel
