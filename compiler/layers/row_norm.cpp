// Normalisation of each row by itself: the same while training and elsewhere.
#include "compiler/layers/norm.h"
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

Key over_key() {
  return Key("over", schema::choice({"last", "row"}),
             "last: each entry of the other axes by itself; row: all numbers of the row together")
      .by_default("last");
}

struct Extent {
  ir::Value* x = nullptr;  // of one axis at least
  std::vector<int64_t> axes;
  std::vector<int64_t> shape;  // of the normalised axes
};

Extent extent_of(const LayerContext& context) {
  Extent extent;
  extent.x = context.input();
  if (row_shape(extent.x).empty()) extent.x = reshape_row(context.b, extent.x, {1});
  const std::vector<int64_t> row = row_shape(extent.x);
  const int64_t rank = extent.x->type.rank();
  const bool whole = context.args.text("over") == "row";
  const size_t axes = whole ? row.size() : 1;
  for (size_t i = row.size() - axes; i < row.size(); ++i) {
    extent.axes.push_back(rank - static_cast<int64_t>(row.size() - i));
    extent.shape.push_back(row[i]);
  }
  return extent;
}

ir::Value* build_layer_norm(LayerContext& context) {
  ir::Builder& b = context.b;
  const Extent extent = extent_of(context);
  const Moments m = moments_over(b, extent.x, extent.axes);
  ir::Value* factor = inverse_deviation(b, m.variance, context.args.number("epsilon"));
  ir::Value* y = b.mul(m.centred, repeat_axes(b, factor, extent.x, extent.axes));
  y = scaled_and_shifted(context, y, extent.shape);
  return reshape_row(b, y, row_shape(context.input()));
}

ir::Value* build_rms_norm(LayerContext& context) {
  ir::Builder& b = context.b;
  const Extent extent = extent_of(context);
  ir::Value* square = mean(b, b.mul(extent.x, extent.x), extent.axes);
  ir::Value* factor = inverse_deviation(b, square, context.args.number("epsilon"));
  ir::Value* y = b.mul(extent.x, repeat_axes(b, factor, extent.x, extent.axes));
  if (ir::Value* gamma = gamma_of(context, extent.shape)) y = row_binary(b, "mul", y, gamma);
  return reshape_row(b, y, row_shape(context.input()));
}

// [p…, c] as [pixels, groups, c / groups], normalised over pixels and the channels of the group.
ir::Value* build_group_norm(LayerContext& context) {
  ir::Builder& b = context.b;
  ir::Value* x = context.input();
  const std::vector<int64_t> row = row_shape(x);
  const int64_t channels = row.empty() ? 1 : row.back();
  const int64_t groups = context.args.integer("groups");
  if (channels % groups != 0) {
    throw UserError(context.args.span("groups"),
                    context.title() + ": the channels do not divide into groups of one size",
                    "a divisor of " + std::to_string(channels) + ", the channels of " +
                        shape_text(row) + " (" + context.inputs[0].origin + ")",
                    std::to_string(groups) + " groups");
  }
  const int64_t pixels = elements(row) / channels;
  ir::Value* grouped = reshape_row(b, x, {pixels, groups, channels / groups});
  const std::vector<int64_t> axes{1, 3};
  const Moments m = moments_over(b, grouped, axes);
  ir::Value* factor = inverse_deviation(b, m.variance, context.args.number("epsilon"));
  ir::Value* y = b.mul(m.centred, repeat_axes(b, factor, grouped, axes));
  return reshape_row(
      b, scaled_and_shifted(context, reshape_row(b, y, {pixels, channels}), {channels}), row);
}

LayerDef group_norm() {
  return {Entry{.name = "group_norm",
                .doc = "The channels (last axis) of each row are cut into groups of neighbours; "
                       "each group, over all its pixels, gets mean 0 and variance 1, then each "
                       "channel a trained scale and shift: [..., c] -> [..., c]. One group is "
                       "layer normalisation of the row, as many as channels is instance "
                       "normalisation. Weights: gamma [c], beta [c].",
                .source = "Wu, He, Group normalization, ECCV 2018",
                .example = "- group_norm: 2",
                .principal = "groups",
                .keys = {Key("groups", schema::integer().at_least(1), "a divisor of the channels")
                             .required(),
                         epsilon_key("1e-5"), scale_key(), center_key()}},
          build_group_norm};
}

}  // namespace

std::vector<LayerDef> row_norm_layers() {
  return {
      {Entry{.name = "layer_norm",
             .doc = "The numbers of the last axis (or of the whole row) get mean 0 and variance "
                    "1, then a trained scale and shift: any shape -> the same shape, y = gamma · "
                    "(x - mean) / sqrt(variance + epsilon) + beta. Weights: gamma and beta, of "
                    "the shape that is normalised.",
             .source = "Ba, Kiros, Hinton, Layer normalization, 2016",
             .example = "- layer_norm",
             .keys = {over_key(), epsilon_key("1e-5"), scale_key(), center_key()}},
       build_layer_norm},
      {Entry{.name = "rms_norm",
             .doc = "The numbers of the last axis (or of the whole row) are divided by the root "
                    "of the mean of their squares, then multiplied by a trained factor: y = gamma "
                    "· x / sqrt(mean(x²) + epsilon). Weight: gamma, of the shape that is "
                    "normalised.",
             .source = "Zhang, Sennrich, Root mean square layer normalization, NeurIPS 2019",
             .example = "- rms_norm",
             .keys = {over_key(), epsilon_key("1e-6"), scale_key()}},
       build_rms_norm},
      group_norm()};
}

}  // namespace nnc::layers
