// Layers that only change the shape of a row.
#include <algorithm>

#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"
#include "runtime/shape.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

ir::Value* build_flatten(LayerContext& context) {
  ir::Value* x = context.input();
  return reshape_row(context.b, x, {elements(row_shape(x))});
}

// One -1 stands for whatever makes the count right.
ir::Value* build_reshape(LayerContext& context) {
  ir::Value* x = context.input();
  const std::vector<int64_t> from = row_shape(x);
  std::vector<int64_t> to = context.args.integers("shape");
  int64_t known = 1;
  int64_t* free_extent = nullptr;
  for (int64_t& extent : to) {
    if (extent == -1 && free_extent == nullptr) {
      free_extent = &extent;
      continue;
    }
    if (extent < 1) {
      throw UserError(context.args.span("shape"), context.title() + ": an extent must be positive",
                      "positive integers, at most one of them -1", shape_text(to));
    }
    known = checked_product(known, extent);
  }
  const int64_t total = elements(from);
  if (free_extent != nullptr && known > 0 && total % known == 0) *free_extent = total / known;
  if (known < 1 || std::count(to.begin(), to.end(), -1) > 0 || elements(to) != total) {
    throw UserError(context.args.span("shape"),
                    context.title() + ": the shapes hold different numbers of elements",
                    std::to_string(total) + " elements, as " + shape_text(from) + " (" +
                        context.inputs[0].origin + ")",
                    shape_text(to));
  }
  return reshape_row(context.b, x, to);
}

}  // namespace

std::vector<LayerDef> shape_layers() {
  return {
      {Entry{.name = "flatten",
             .doc = "All numbers of a row as one vector, last axis fastest: [a, b, c] -> [a*b*c].",
             .example = "- flatten"},
       build_flatten},
      {Entry{.name = "reshape",
             .doc = "The same numbers under another shape, in the same order. One extent may be "
                    "-1: it follows from the others.",
             .example = "- reshape: [7, 7, 16]",
             .principal = "shape",
             .keys = {Key("shape", schema::list_of(schema::integer().at_least(-1)),
                          "the shape of one row")
                          .required()}},
       build_reshape},
  };
}

}  // namespace nnc::layers
