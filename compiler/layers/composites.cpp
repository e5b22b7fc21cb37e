// Layers that stand for several others. The front end puts those in their place
// (compiler/language/flatten.h), so that no graph is built here.
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using namespace schema;

constexpr size_t many = 4096;

ir::Value* build_nothing(LayerContext& context) {
  throw InternalError(context.kind + " should have been flattened");
}

Type inner_layers() { return list_of(entry_of(Group::layers)).sized(1, many); }

}  // namespace

std::vector<LayerDef> composite_layers() {
  return {
      {Entry{.name = "block",
             .doc = "A use of one of `blocks`, with weights of its own. Its layers are called "
                    "NAME.LAYER. `with` gives the block's arguments, `from` its inputs (several "
                    "as a list or as a map), `share: OTHER` takes the weights of another use, "
                    "`freeze` keeps all of them as they are.",
             .source = "",
             .example = "- block: res",
             .principal = "template",
             .keys = {Key("template", text(), "the name of the block, from `blocks`").required()}},
       build_nothing},
      {Entry{
           .name = "repeat",
           .doc = "Layers several times one after the other, each round with weights of its "
                  "own. Rounds count from 1: NAME.2.LAYER is a layer of the second.",
           .source = "",
           .example = "- repeat: {times: 2, layers: [{dense: 8}, relu]}",
           .principal = "",
           .keys = {Key("times", integer().at_least(1).at_most(many), "how many rounds").required(),
                    Key("layers", inner_layers(), "the layers of one round").required()}},
       build_nothing},
      {Entry{.name = "residual",
             .doc = "Its input plus what its layers make of it. Where these change the shape, the "
                    "layers of `shortcut` bring the input to the same.",
             .source = "He et al., Deep Residual Learning, 2016, arXiv:1512.03385",
             .example = "- residual: [relu, tanh]",
             .principal = "layers",
             .keys = {Key("layers", inner_layers(), "what is added to the input").required(),
                      Key("shortcut", inner_layers(), "on the way of the input; default: none")}},
       build_nothing},
  };
}

}  // namespace nnc::layers
