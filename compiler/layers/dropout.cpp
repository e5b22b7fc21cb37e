// Dropout.
#include "compiler/layers/random.h"
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

// Inverted scaling: what is kept is divided by the probability of keeping, so that nothing has to
// change for evaluation.
ir::Value* build_dropout(LayerContext& context) {
  ir::Value* x = context.input();
  const double rate = context.args.number("rate");
  if (!context.draws || rate == 0) return x;
  ir::Builder& b = context.b;
  ir::Value* draw = random_uniform(context, x->type.shape, "dropout");
  ir::Value* kept = b.compare("ge", draw, b.constant_like(rate, draw));
  return b.select(kept, b.mul(x, 1 / (1 - rate)), b.constant_like(0, x));
}

}  // namespace

std::vector<LayerDef> random_layers() {
  return {{Entry{.name = "dropout",
                 .doc = "While training each element is set to 0 with probability `rate` and "
                        "otherwise divided by 1 - rate; elsewhere the input passes unchanged. The "
                        "draws depend on the seed, the layer's name, the step and the element.",
                 .source = "Srivastava et al., Dropout, JMLR 2014",
                 .example = "- dropout: 0.5",
                 .principal = "rate",
                 .keys = {Key("rate", schema::number().at_least(0).below(1),
                              "share of elements that is dropped")
                              .required()},
                 .random = true},
           build_dropout}};
}

}  // namespace nnc::layers
