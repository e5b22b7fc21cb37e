// Layers that change the extents of a picture without weights.
#include <cmath>

#include "compiler/layers/pictures.h"
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

// Every element `size` times along each axis: [b, H, W, C] -> [b, H, s, W, s, C] -> [b, Hs, Ws, C].
ir::Value* nearest(ir::Builder& b, const Picture& x, const std::vector<int64_t>& size) {
  ir::Shape apart{x.value->type.shape[0]}, joined = x.value->type.shape;
  std::vector<int64_t> axes{0};
  for (size_t i = 0; i < size.size(); ++i) {
    axes.push_back(static_cast<int64_t>(apart.size()));
    apart.push_back({x.extents[i], false});
    apart.push_back({size[i], false});
    joined[i + 1].size *= size[i];
  }
  axes.push_back(static_cast<int64_t>(apart.size()));
  apart.push_back({x.channels, false});
  return b.reshape(b.broadcast(x.value, apart, axes), joined);
}

// A part of `count` elements along one axis from `start` on, with an axis of 1 behind it.
ir::Value* stretch_of(ir::Builder& b, ir::Value* x, size_t axis, int64_t start, int64_t count) {
  ir::Shape shape = x->type.shape;
  std::vector<int64_t> starts(shape.size(), 0);
  starts[axis] = start;
  shape[axis].size = count;
  ir::Value* part = b.slice(x, starts, shape);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, ir::Dim{1, false});
  return b.reshape(part, shape);
}

// Element q·size + r lies at (r + 1/2) / size - 1/2 + q: between q - 1 and q, or q and q + 1,
// always with the same weights. Beyond the border the outermost element goes on.
ir::Value* linear_along(ir::Builder& b, ir::Value* x, size_t axis, int64_t size) {
  const int64_t extent = x->type.shape[axis].size;
  ir::Shape edge = x->type.shape;
  edge[axis].size = 1;
  std::vector<int64_t> first(edge.size(), 0), last(edge.size(), 0);
  last[axis] = extent - 1;
  ir::Value* wide =
      b.concat({b.slice(x, first, edge), x, b.slice(x, last, edge)}, static_cast<int64_t>(axis));
  std::vector<ir::Value*> phases;
  for (int64_t r = 0; r < size; ++r) {
    const double place = (static_cast<double>(r) + 0.5) / static_cast<double>(size) - 0.5;
    const auto below = static_cast<int64_t>(std::floor(place));
    const double weight = place - static_cast<double>(below);
    ir::Value* left = stretch_of(b, wide, axis, below + 1, extent);
    ir::Value* right = stretch_of(b, wide, axis, below + 2, extent);
    phases.push_back(weight == 0 ? left : b.add(b.mul(left, 1 - weight), b.mul(right, weight)));
  }
  ir::Shape joined = x->type.shape;
  joined[axis].size *= size;
  return b.reshape(b.concat(phases, static_cast<int64_t>(axis) + 1), joined);
}

ir::Value* build_upsample(LayerContext& context) {
  const Picture x = picture_input(context, 0);
  const std::vector<int64_t> size = per_axis(context, "size", x.extents.size());
  std::vector<int64_t> row = row_shape(x.value);
  for (size_t i = 0; i < size.size(); ++i) row[i] *= size[i];
  limit_size(context, row);
  if (context.args.text("method") == "nearest") return nearest(context.b, x, size);
  ir::Value* value = x.value;
  for (size_t i = 0; i < size.size(); ++i)
    if (size[i] > 1) value = linear_along(context.b, value, i + 1, size[i]);
  return value;
}

ir::Value* build_zero_padding(LayerContext& context) {
  const Picture x = picture_input(context, 0);
  const Sides sides = both_sides(context, "amount", x.extents.size());
  std::vector<int64_t> row = row_shape(x.value);
  for (size_t i = 0; i < x.extents.size(); ++i) row[i] += sides.before[i] + sides.after[i];
  limit_size(context, row);
  Sliding s;
  s.before = sides.before;
  s.after = sides.after;
  return padded(context.b, x.value, s);
}

ir::Value* build_cropping(LayerContext& context) {
  const Picture x = picture_input(context, 0);
  const Sides sides = both_sides(context, "amount", x.extents.size());
  std::vector<int64_t> starts(x.extents.size() + 2, 0);
  ir::Shape kept = x.value->type.shape;
  for (size_t i = 0; i < x.extents.size(); ++i) {
    starts[i + 1] = sides.before[i];
    kept[i + 1].size -= sides.before[i] + sides.after[i];
    if (kept[i + 1].size >= 1) continue;
    throw UserError(context.args.span("amount"), context.title() + ": nothing of its input is left",
                    "less than " + std::to_string(x.extents[i]) + " in all along axis " +
                        std::to_string(i) + " of " + shape_text(row_shape(x.value)) + " (" +
                        x.origin + ")",
                    std::to_string(sides.before[i] + sides.after[i]));
  }
  return context.b.slice(x.value, starts, kept);
}

Key amount_key(const std::string& doc) {
  return Key("amount", side_numbers(),
             doc + ": a number, one for each axis, or [before, after] for each axis")
      .required();
}

}  // namespace

std::vector<LayerDef> resize_layers() {
  return {
      {Entry{.name = "upsample",
             .doc = "Each extent `size` times as long: [rows, columns, channels] -> [size·rows, "
                    "size·columns, channels]; sequences and volumes too. nearest repeats elements; "
                    "bilinear takes weighted means of neighbours, elements standing for the "
                    "middle of their cells, and goes on evenly beyond the border.",
             .example = "- upsample: 2",
             .principal = "size",
             .keys = {size_key("size", "how many times as long"),
                      Key("method", schema::choice({"nearest", "bilinear"}), "what lies between")
                          .by_default("nearest")}},
       build_upsample},
      {Entry{.name = "zero_padding",
             .doc = "Zeros around a picture, a sequence or a volume.",
             .example = "- zero_padding: [[0, 1], 2]",
             .principal = "amount",
             .keys = {amount_key("how many on each side")}},
       build_zero_padding},
      {Entry{.name = "cropping",
             .doc = "A picture, a sequence or a volume without its border.",
             .example = "- cropping: 1",
             .principal = "amount",
             .keys = {amount_key("how much is cut off on each side")}},
       build_cropping},
  };
}

}  // namespace nnc::layers
