// Fully connected layers.
#include "compiler/layers/activations.h"
#include "compiler/layers/initialisers.h"
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

// y = x · kernel + bias: [b, …, n] -> [b, …, units]
ir::Value* build_dense(LayerContext& context) {
  ir::Value* x = context.input();
  if (row_shape(x).empty()) x = reshape_row(context.b, x, {1});
  const int64_t width = row_shape(x).back();
  const int64_t units = context.args.integer("units");
  const Fans fans{static_cast<double>(width), static_cast<double>(units)};
  const std::vector<int64_t> kernel_shape{width, units};
  ir::Value* kernel =
      context.weight({.name = "kernel",
                      .shape = kernel_shape,
                      .initial = initial_of(context.args, "kernel", kernel_shape, fans),
                      .decays = true});
  ir::Value* y = context.b.contract(x, kernel, {x->type.rank() - 1}, {0});
  context.makes(kernel, y);
  if (context.args.boolean("bias")) {
    ir::Value* bias = context.weight({.name = "bias",
                                      .shape = {units},
                                      .initial = initial_of(context.args, "bias", {units}, fans)});
    y = row_binary(context.b, "add", y, bias);
  }
  return activate(context.b, y, context.args.entry("activation"));
}

}  // namespace

std::vector<LayerDef> dense_layers() {
  return {
      {Entry{.name = "dense",
             .doc = "Every output is a weighted sum of all inputs, plus a bias: [n] -> [units], "
                    "y = activation(x · kernel + bias). A single number per row counts as "
                    "[1]. Of several axes it sees the last one, with the same weights at every "
                    "place of the others: […, n] -> […, units]; `- flatten` before it lets every "
                    "output see the whole row. Weights: kernel [n, units], bias [units].",
             .source = "Rosenblatt 1958; Goodfellow, Bengio, Courville, Deep Learning, 6.1",
             .example = "- dense: {units: 128, activation: relu}\n  name: fc1",
             .principal = "units",
             .keys = {Key("units", schema::integer().at_least(1), "how many outputs").required(),
                      Key("activation", schema::entry_of(schema::Group::activations),
                          "applied to the result")
                          .by_default("linear"),
                      Key("bias", schema::boolean(), "whether a bias is added").by_default("true"),
                      init_key("glorot_uniform")}},
       build_dense}};
}

}  // namespace nnc::layers
