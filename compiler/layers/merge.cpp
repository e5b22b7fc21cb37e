// Layers with several inputs.
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

std::string describe(const LayerContext& context, size_t i) {
  return shape_text(row_shape(context.inputs[i].value)) + " (" + context.inputs[i].origin + ")";
}

void need_two(const LayerContext& context) {
  if (context.inputs.size() >= 2) return;
  throw UserError(context.span, context.title() + " joins several inputs",
                  "at least two names, as in `- " + context.kind + ": [a, b]`",
                  std::to_string(context.inputs.size()));
}

// Elementwise over all inputs, from left to right.
ir::Value* fold(LayerContext& context, const std::string& op) {
  need_two(context);
  ir::Value* result = context.input(0);
  for (size_t i = 1; i < context.inputs.size(); ++i) {
    ir::Value* next = context.input(i);
    std::vector<int64_t> row;
    if (!broadcast_rows(row_shape(result), row_shape(next), row)) {
      throw UserError(context.span, context.title() + ": the shapes of its inputs do not fit",
                      shape_text(row_shape(result)) + " (" + context.inputs[0].origin + ")",
                      describe(context, i));
    }
    result = row_binary(context.b, op, result, next);
  }
  return result;
}

ir::Value* build_concat(LayerContext& context) {
  need_two(context);
  std::vector<ir::Value*> parts;
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    ir::Value* part = context.input(i);
    if (row_shape(part).empty()) part = reshape_row(context.b, part, {1});
    parts.push_back(part);
  }
  int64_t axis = 0;
  if (!row_axis(parts[0], context.args.integer("axis"), axis)) {
    throw UserError(context.args.span("axis"), context.title() + ": its inputs have no such axis",
                    "an axis of " + describe(context, 0),
                    std::to_string(context.args.integer("axis")));
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    ir::Shape a = parts[0]->type.shape;
    ir::Shape c = parts[i]->type.shape;
    const auto at = static_cast<size_t>(axis);
    if (a.size() == c.size()) a[at] = c[at] = ir::Dim{};
    if (a != c) {
      throw UserError(context.span,
                      context.title() + ": its inputs may differ only along the joined axis",
                      describe(context, 0), describe(context, i));
    }
  }
  return context.b.concat(parts, axis);
}

}  // namespace

std::vector<LayerDef> merge_layers() {
  return {
      {Entry{.name = "add",
             .doc = "Sum of its inputs, element by element; shapes broadcast as in NumPy.",
             .example = "- add: [a, b]",
             .merges = true},
       [](LayerContext& context) { return fold(context, "add"); }},
      {Entry{.name = "multiply",
             .doc = "Product of its inputs, element by element; shapes broadcast as in NumPy.",
             .example = "- multiply: [a, b]",
             .merges = true},
       [](LayerContext& context) { return fold(context, "mul"); }},
      {Entry{.name = "concat",
             .doc = "Its inputs one after the other along an axis of the row (the last one by "
                    "default): [n], [m] -> [n + m].",
             .example = "- concat: [a, b]",
             .keys = {Key("axis", schema::integer(),
                          "counted within the row, negative from the "
                          "end")
                          .by_default("-1")},
             .merges = true},
       build_concat},
  };
}

}  // namespace nnc::layers
