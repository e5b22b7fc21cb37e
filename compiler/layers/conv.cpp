// Convolutional layers.
#include "compiler/layers/convolve.h"
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

constexpr const char* lecun_source =
    "LeCun et al., Gradient-based learning applied to document recognition, Proc. IEEE 1998";

// Checks that groups divide the channels and the filters.
int64_t groups_of(const LayerContext& context, const Picture& x, int64_t filters) {
  const int64_t groups = context.args.integer("groups");
  const auto check = [&](int64_t count, const std::string& what) {
    if (count % groups == 0) return;
    throw UserError(context.args.span("groups"),
                    context.title() + ": its groups do not divide the " + what,
                    "a divisor of " + std::to_string(count), std::to_string(groups));
  };
  check(x.channels, "channels of " + shape_text(row_shape(x.value)) + " (" + x.origin + ")");
  check(filters, "filters");
  return groups;
}

std::vector<int64_t> kernel_shape(const Sliding& s, int64_t channels, int64_t filters) {
  std::vector<int64_t> shape = s.size;
  shape.insert(shape.end(), {channels, filters});
  return shape;
}

Fans fans_of(const Sliding& s, int64_t channels, int64_t filters) {
  const auto taps = static_cast<double>(s.taps());
  return {taps * static_cast<double>(channels), taps * static_cast<double>(filters)};
}

ir::Value* build_conv(LayerContext& context, size_t axes) {
  const Picture x = picture_input(context, axes);
  Sliding s = sliding_of(context, "kernel", axes);
  pad_for(context, "kernel", x, s);
  const int64_t filters = context.args.integer("filters");
  limit_size(context, placed_shape(x, s, {filters}));
  const int64_t groups = groups_of(context, x, filters);
  const Fans fans = fans_of(s, x.channels / groups, filters / groups);
  ir::Value* kernel =
      kernel_weight(context, "kernel", kernel_shape(s, x.channels / groups, filters), fans);
  return finish(context, kernel, convolve(context.b, x.value, kernel, s, groups), filters, fans);
}

ir::Value* build_depthwise(LayerContext& context, size_t axes) {
  const Picture x = picture_input(context, axes);
  Sliding s = sliding_of(context, "kernel", axes);
  pad_for(context, "kernel", x, s);
  const int64_t multiplier = context.args.integer("multiplier");
  limit_size(context, placed_shape(x, s, {s.taps(), x.channels, multiplier}));
  const Fans fans = fans_of(s, 1, multiplier);
  ir::Value* kernel =
      kernel_weight(context, "kernel", kernel_shape(s, x.channels, multiplier), fans);
  return finish(context, kernel, convolve_channels(context.b, x.value, kernel, s),
                x.channels * multiplier, fans);
}

ir::Value* build_separable(LayerContext& context, size_t axes) {
  const Picture x = picture_input(context, axes);
  Sliding s = sliding_of(context, "kernel", axes);
  pad_for(context, "kernel", x, s);
  const int64_t multiplier = context.args.integer("multiplier");
  const int64_t filters = context.args.integer("filters"), middle = x.channels * multiplier;
  ir::Value* depthwise = kernel_weight(
      context, "depthwise", kernel_shape(s, x.channels, multiplier), fans_of(s, 1, multiplier));
  const Fans fans{static_cast<double>(middle), static_cast<double>(filters)};
  ir::Value* pointwise = kernel_weight(context, "pointwise", {middle, filters}, fans);
  ir::Value* channels = convolve_channels(context.b, x.value, depthwise, s);
  context.makes(depthwise, channels);
  const int64_t last = channels->type.rank() - 1;
  return finish(context, pointwise, context.b.contract(channels, pointwise, {last}, {0}), filters,
                fans);
}

// Extents of the result, and what is cut off the whole sum before it.
struct Cut {
  std::vector<int64_t> whole, before, result;
};

Cut transposed_extents(const LayerContext& context, const Picture& x, const Sliding& s) {
  const std::vector<int64_t> more = per_axis(context, "output_padding", s.axes());
  const Value& padding = context.args.at("padding");
  const bool same = padding.is_text() && padding.text() == "same";
  Sides sides{std::vector<int64_t>(s.axes(), 0), std::vector<int64_t>(s.axes(), 0)};
  if (!padding.is_text()) sides = both_sides(context, "padding", s.axes());
  Cut cut;
  for (size_t i = 0; i < s.axes(); ++i) {
    if (more[i] >= s.stride[i] || (same && more[i] > 0)) {
      throw UserError(context.args.span("output_padding"),
                      context.title() + ": no such output padding can arise",
                      same ? "0 with `padding: same`: the result is stride times as large"
                           : "less than the stride, " + std::to_string(s.stride[i]),
                      std::to_string(more[i]));
    }
    const int64_t sum = (x.extents[i] - 1) * s.stride[i] + s.reach(i) + more[i];
    const int64_t wanted =
        same ? x.extents[i] * s.stride[i] : sum - sides.before[i] - sides.after[i];
    if (wanted < 1) {
      throw UserError(context.args.span("padding"),
                      context.title() + ": its padding cuts away the whole result",
                      "less than " + std::to_string(sum) + " in all",
                      std::to_string(sides.before[i] + sides.after[i]));
    }
    cut.whole.push_back(std::max(sum, wanted));
    cut.before.push_back(same ? (cut.whole[i] - wanted) / 2 : sides.before[i]);
    cut.result.push_back(wanted);
  }
  return cut;
}

ir::Value* build_transposed(LayerContext& context, size_t axes) {
  const Picture x = picture_input(context, axes);
  const Sliding s = sliding_of(context, "kernel", axes);
  const int64_t filters = context.args.integer("filters");
  const int64_t groups = groups_of(context, x, filters);
  const Cut cut = transposed_extents(context, x, s);
  std::vector<int64_t> products = x.extents, whole = cut.whole;
  products.insert(products.end(), {s.taps(), filters});
  whole.push_back(filters);
  limit_size(context, products);
  limit_size(context, whole);
  const Fans fans = fans_of(s, x.channels / groups, filters / groups);
  ir::Value* kernel =
      kernel_weight(context, "kernel", kernel_shape(s, x.channels / groups, filters), fans);
  ir::Value* sum = convolve_transposed(context.b, x.value, kernel, s, cut.whole, groups);
  std::vector<int64_t> starts(sum->type.shape.size(), 0);
  ir::Shape kept = sum->type.shape;
  for (size_t i = 0; i < s.axes(); ++i) {
    starts[i + 1] = cut.before[i];
    kept[i + 1].size = cut.result[i];
  }
  return finish(context, kernel, context.b.slice(sum, starts, kept), filters, fans);
}

Key filters_key() {
  return Key("filters", schema::integer().at_least(1).at_most(1 << 20),
             "how many outputs per place")
      .required();
}
Key groups_key() {
  return Key("groups", schema::integer().at_least(1),
             "channels and filters fall into so many groups that know nothing of each other")
      .by_default("1");
}
Key multiplier_key() {
  return Key("multiplier", schema::integer().at_least(1).at_most(1 << 20), "filters per channel")
      .by_default("1");
}

std::vector<Key> conv_keys() {
  return {filters_key(),
          size_key("kernel", "size of the window"),
          stride_key(),
          dilation_key(),
          groups_key(),
          padding_key(),
          bias_key(),
          activation_key(),
          init_key("glorot_uniform")};
}

// The axes of a row, and of a kernel before its channels.
std::string extents(size_t axes) {
  const std::string all[] = {"length", "rows, columns", "depth, rows, columns"};
  return all[axes - 1];
}
std::string new_extents(size_t axes) {
  const std::string all[] = {"length'", "rows', columns'", "depth', rows', columns'"};
  return all[axes - 1];
}
std::string with_axes(const std::string& before, size_t axes, const std::string& after = "") {
  return before + std::to_string(axes) + "d" + after;
}

LayerDef conv_layer(size_t axes, const std::string& example) {
  return {Entry{.name = with_axes("conv", axes),
                .doc = "Each filter sums, with weights of its own, what a sliding window sees: [" +
                       extents(axes) + ", channels] -> [" + new_extents(axes) +
                       ", filters]. An extent becomes floor((extent + padding - dilation·(kernel - "
                       "1) - 1) / stride) + 1. The kernel is not flipped. Weights: kernel [" +
                       extents(axes) + ", channels / groups, filters], bias [filters].",
                .source = lecun_source,
                .example = example,
                .keys = conv_keys()},
          [axes](LayerContext& context) { return build_conv(context, axes); }};
}

LayerDef depthwise_layer(size_t axes) {
  const std::string name = with_axes("depthwise_conv", axes);
  return {Entry{.name = name,
                .doc = "A convolution of each channel for itself: [" + extents(axes) +
                       ", channels] -> [" + new_extents(axes) +
                       ", channels·multiplier]. Weights: kernel [" + extents(axes) +
                       ", channels, multiplier], bias [channels·multiplier].",
                .source = "Howard et al., MobileNets, 2017",
                .example = "- " + name + ": {kernel: 3, padding: same}",
                .principal = "kernel",
                .keys = {size_key("kernel", "size of the window"), multiplier_key(), stride_key(),
                         dilation_key(), padding_key(), bias_key(), activation_key(),
                         init_key("glorot_uniform")}},
          [axes](LayerContext& context) { return build_depthwise(context, axes); }};
}

LayerDef separable_layer(size_t axes) {
  const std::string name = with_axes("separable_conv", axes);
  return {Entry{.name = name,
                .doc = "A convolution of each channel for itself, then a mixture of the channels "
                       "at each place: [" +
                       extents(axes) + ", channels] -> [" + new_extents(axes) +
                       ", filters]. Weights: depthwise [" + extents(axes) +
                       ", channels, multiplier], pointwise [channels·multiplier, filters], bias "
                       "[filters].",
                .source = "Chollet, Xception, CVPR 2017",
                .example = "- " + name + ": {filters: 16, kernel: 3, padding: same}",
                .keys = {filters_key(), size_key("kernel", "size of the window"), multiplier_key(),
                         stride_key(), dilation_key(), padding_key(), bias_key(), activation_key(),
                         Key("init", schema::entry_of(schema::Group::initialisers, "constant"),
                             "how both kernels start")
                             .by_default("glorot_uniform")}},
          [axes](LayerContext& context) { return build_separable(context, axes); }};
}

LayerDef transposed_layer(size_t axes) {
  std::vector<Key> keys = conv_keys();
  keys.insert(keys.begin() + 6,
              Key("output_padding", axis_numbers(0), "further places at the end of each axis")
                  .by_default("0"));
  const std::string name = with_axes("conv", axes, "_transpose");
  return {Entry{.name = name,
                .doc = "Each element of the input puts its weighted kernel into the result, where "
                       "they add up (a convolution backwards): [" +
                       extents(axes) + ", channels] -> [" + new_extents(axes) +
                       ", filters]. An extent becomes stride·(extent - 1) + dilation·(kernel - 1) "
                       "+ 1 less the padding, or stride·extent with `padding: same`. Weights: "
                       "kernel [" +
                       extents(axes) + ", channels / groups, filters], bias [filters].",
                .source = "Zeiler et al., Deconvolutional networks, CVPR 2010; Dumoulin, Visin, A "
                          "guide to convolution arithmetic, 2016",
                .example = "- " + name + ": {filters: 8, kernel: 3, stride: 2, padding: same}",
                .keys = keys},
          [axes](LayerContext& context) { return build_transposed(context, axes); }};
}

}  // namespace

std::vector<LayerDef> conv_layers() {
  return {conv_layer(1, "- conv1d: {filters: 8, kernel: 5, activation: relu}"),
          conv_layer(2,
                     "- conv2d: {filters: 32, kernel: 3, padding: same, activation: relu}\n"
                     "  name: conv1"),
          conv_layer(3, "- conv3d: {filters: 8, kernel: [1, 3, 3]}"),
          depthwise_layer(1),
          depthwise_layer(2),
          depthwise_layer(3),
          separable_layer(1),
          separable_layer(2),
          separable_layer(3),
          transposed_layer(1),
          transposed_layer(2),
          transposed_layer(3)};
}

}  // namespace nnc::layers
