// The layer `activation`, for files that like to say what the word is.
#include "compiler/layers/activations.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

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
       }}};
}

}  // namespace nnc::layers
