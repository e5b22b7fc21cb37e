#include "compiler/layers/layer.h"

#include "compiler/layers/activations.h"
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

void refuse_index(const LayerContext& context, const Operand& operand) {
  if (operand.classes == 0) return;
  throw UserError(context.span, context.title() + ": its input is an index, not a number",
                  "numbers; give the field `prepare: [one_hot]` to turn the index into a vector",
                  operand.origin + ": an index of " + std::to_string(operand.classes) + " classes");
}

}  // namespace

std::string LayerContext::title() const { return kind + " '" + name + "'"; }

ir::Value* LayerContext::input(size_t i) const {
  const Operand& operand = inputs.at(i);
  refuse_index(*this, operand);
  return operand.value;
}

ir::Value* LayerContext::input() const {
  if (inputs.size() != 1) {
    throw UserError(span, title() + " takes one input", "one name in `from`",
                    std::to_string(inputs.size()) + " names");
  }
  return input(0);
}

const std::vector<LayerDef>& layer_table() {
  static const std::vector<LayerDef> table = [] {
    std::vector<LayerDef> all;
    for (auto family : {dense_layers, conv_layers, pool_layers, resize_layers, activation_layers,
                        shape_layers, merge_layers, random_layers, noise_layers, batch_norm_layers,
                        row_norm_layers, response_norm_layers, formula_layers, composite_layers}) {
      for (LayerDef& def : family()) all.push_back(std::move(def));
    }
    return all;
  }();
  return table;
}

std::function<ir::Value*(LayerContext&)> find_layer(const std::string& name) {
  for (const LayerDef& def : layer_table()) {
    if (def.entry.name == name) return def.build;
  }
  if (const ActivationDef* def = find_activation(name)) {
    return [def](LayerContext& context) {
      return def->build(context.b, context.input(), context.args);
    };
  }
  return nullptr;
}

uint64_t stream_of(const std::string& name) {
  uint64_t hash = 14695981039346656037ull;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211ull;
  return hash;
}

}  // namespace nnc::layers
