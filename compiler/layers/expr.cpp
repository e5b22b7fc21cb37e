// The layer whose body is a formula.
#include "compiler/layers/formula.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

std::vector<LayerDef> formula_layers() {
  return {{schema::Entry{
               .name = "expr",
               .doc = "A formula of one row over the values of the model: fields, named "
                      "layers, weights (fc1.kernel) and free parameters. Shapes broadcast "
                      "as in NumPy; axes count within the row.",
               .example = "- expr: \"height * width\"\n  name: area",
               .principal = "formula",
               .keys = {schema::Key("formula", schema::formula(), "what it computes").required()}},
           [](LayerContext& context) {
             FormulaContext formula{.b = context.b,
                                    .scope = context.scope,
                                    .dtype = context.dtype,
                                    .random = &context.random,
                                    .derivatives = &context.derivatives,
                                    .mode = context.mode,
                                    .path = context.name};
             return build_formula(formula, context.args.formula("formula"));
           }}};
}

}  // namespace nnc::layers
