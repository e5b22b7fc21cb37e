// The layer `activation`, for files that like to say what the word is, and the activation that has
// weights of its own.
#include "compiler/layers/activations.h"
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

// Penalties and weight decay leave the slopes alone: towards 0 they would make a relu of it.
ir::Value* build_prelu(LayerContext& context) {
  ir::Builder& b = context.b;
  ir::Value* x = context.input();
  const std::vector<int64_t> row = row_shape(x);
  const std::string& each = context.args.text("each");
  std::vector<int64_t> shape;
  if (each == "element") shape = row;
  if (each == "channel" && !row.empty()) shape = {row.back()};
  abi::Initial start;
  start.a = context.args.number("start");
  ir::Value* slope = context.weight({.name = "slope", .shape = shape, .initial = start});
  ir::Value* positive = b.compare("gt", x, b.constant_like(0, x));
  return b.select(positive, x, row_binary(b, "mul", x, slope));
}

schema::Entry prelu_entry() {
  using schema::Key;
  return {.name = "prelu",
          .doc =
              "f(x) = x where x > 0, else slope * x, with slopes that are trained: any shape -> "
              "the same shape. Weights: slope [channels], or [] or the shape of the row, by "
              "`each`.",
          .source = "He et al., Delving deep into rectifiers, ICCV 2015",
          .example = "- prelu",
          .principal = "each",
          .keys = {Key("each", schema::choice({"channel", "layer", "element"}),
                       "what has a slope of its own: each entry of the last axis, the whole layer, "
                       "each element of the row")
                       .by_default("channel"),
                   Key("start", schema::number(), "the slope before training").by_default("0.25")}};
}

}  // namespace

std::vector<LayerDef> activation_layers() {
  return {
      {schema::Entry{.name = "activation",
                     .doc = "Applies an activation: any shape -> the same shape. "
                            "`- activation: relu` is the same as `- relu`.",
                     .example = "- activation: relu",
                     .principal = "function",
                     .keys = {schema::Key("function", schema::entry_of(schema::Group::activations),
                                          "which one")
                                  .required()}},
       [](LayerContext& context) {
         return activate(context.b, context.input(), context.args.entry("function"));
       }},
      {prelu_entry(), build_prelu}};
}

}  // namespace nnc::layers
