// Layers that summarise windows of a picture, or the whole of it.
#include <algorithm>
#include <limits>

#include "compiler/layers/pictures.h"
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

// The axes of [b, P…, K…, C] that hold the elements of windows.
std::vector<int64_t> tap_axes(const Sliding& s) {
  std::vector<int64_t> axes;
  for (size_t i = 0; i < s.axes(); ++i) axes.push_back(static_cast<int64_t>(s.axes() + 1 + i));
  return axes;
}

Picture pooled_input(const LayerContext& context, size_t axes, Sliding& s) {
  const Picture x = picture_input(context, axes);
  s = sliding_of(context, "pool", axes);
  pad_for(context, "pool", x, s);
  for (size_t i = 0; i < axes; ++i) {
    if (s.before[i] < s.size[i] && s.after[i] < s.size[i]) continue;
    throw UserError(context.args.span("padding"),
                    context.title() + ": some windows would see nothing but padding",
                    "less than the window, " + std::to_string(s.size[i]) + ", on each side",
                    std::to_string(std::max(s.before[i], s.after[i])));
  }
  return x;
}

ir::Value* build_maxpool(LayerContext& context, size_t axes) {
  Sliding s;
  const Picture x = pooled_input(context, axes, s);
  ir::Builder& b = context.b;
  const double lowest = -std::numeric_limits<double>::infinity();
  return b.reduce("reduce_max", windows(b, padded(b, x.value, s, lowest), s), tap_axes(s));
}

// Elements of the picture in each window along axis i: fewer where there is padding.
std::vector<double> counted(const Sliding& s, size_t i, int64_t extent) {
  std::vector<double> counts;
  for (int64_t p = 0; p < s.count(i, extent); ++p) {
    int64_t inside = 0;
    for (int64_t k = 0; k < s.size[i]; ++k) {
      const int64_t at = p * s.stride[i] + k * s.dilation[i] - s.before[i];
      inside += at >= 0 && at < extent ? 1 : 0;
    }
    counts.push_back(static_cast<double>(inside));
  }
  return counts;
}

// Padding is not counted.
ir::Value* build_avgpool(LayerContext& context, size_t axes) {
  Sliding s;
  const Picture x = pooled_input(context, axes, s);
  ir::Builder& b = context.b;
  ir::Value* parts = windows(b, padded(b, x.value, s), s);
  if (!s.padded()) return mean(b, parts, tap_axes(s));
  ir::Value* sum = b.sum(parts, tap_axes(s));
  ir::Value* count = nullptr;
  for (size_t i = 0; i < axes; ++i) {
    const std::vector<double> along = counted(s, i, x.extents[i]);
    ir::Shape shape(axes + 1 - i);
    shape[0].size = static_cast<int64_t>(along.size());
    ir::Value* numbers = b.table(along, sum->type.dtype, shape);  // [P, 1…], aligned at the end
    count = count == nullptr ? numbers : b.mul(count, numbers);
  }
  return b.div(sum, count);
}

// All axes of the row but the last.
std::vector<int64_t> place_axes(const Picture& x) {
  std::vector<int64_t> axes;
  for (size_t i = 0; i < x.extents.size(); ++i) axes.push_back(static_cast<int64_t>(i) + 1);
  return axes;
}

LayerDef pool_layer(const std::string& kind, const std::string& doc, size_t axes,
                    ir::Value* (*build)(LayerContext&, size_t)) {
  const std::string name = kind + std::to_string(axes) + "d";
  const std::vector<std::string> shapes = {
      "[length, channels] -> [length', channels]",
      "[rows, columns, channels] -> [rows', columns', channels]",
      "[depth, rows, columns, channels] -> [depth', rows', columns', channels]"};
  return {Entry{.name = name,
                .doc = doc + " of each window, channel by channel: " + shapes[axes - 1] +
                       ". Padding takes no part in it.",
                .source = "LeCun et al., Gradient-based learning applied to document recognition, "
                          "Proc. IEEE 1998",
                .example = "- " + name + ": 2",
                .principal = "pool",
                .keys = {size_key("pool", "size of the window"),
                         Key("stride", axis_numbers(1),
                             "distance between neighbouring windows; their size if not given"),
                         padding_key("room around the input: none (valid), as much as gives "
                                     "ceil(extent / stride) windows, cut off at the borders "
                                     "(same), or a number, a number for each axis, or [before, "
                                     "after] for each axis")}},
          [axes, build](LayerContext& context) { return build(context, axes); }};
}

}  // namespace

std::vector<LayerDef> pool_layers() {
  const std::string largest = "The largest element", average = "The mean of the elements";
  return {
      pool_layer("maxpool", largest, 1, build_maxpool),
      pool_layer("maxpool", largest, 2, build_maxpool),
      pool_layer("maxpool", largest, 3, build_maxpool),
      pool_layer("avgpool", average, 1, build_avgpool),
      pool_layer("avgpool", average, 2, build_avgpool),
      pool_layer("avgpool", average, 3, build_avgpool),
      {Entry{.name = "global_maxpool",
             .doc = "The largest element of each channel: [extents…, channels] -> [channels].",
             .example = "- global_maxpool"},
       [](LayerContext& context) {
         const Picture x = picture_input(context, 0);
         return context.b.reduce("reduce_max", x.value, place_axes(x));
       }},
      {Entry{.name = "global_avgpool",
             .doc = "The mean of each channel: [extents…, channels] -> [channels].",
             .source = "Lin, Chen, Yan, Network in network, 2013",
             .example = "- global_avgpool"},
       [](LayerContext& context) {
         const Picture x = picture_input(context, 0);
         return mean(context.b, x.value, place_axes(x));
       }},
  };
}

}  // namespace nnc::layers
