// Layers of the description as graph ops.
#include "compiler/assemble/forward_builder.h"
#include "compiler/ir/op.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"
#include "runtime/shape.h"

namespace nnc::assemble {

using layers::Operand;

namespace {

// Two for each multiply-add of the contractions among the nodes, for one row.
double contraction_flops(const ir::Graph& graph, size_t first_node) {
  double flops = 0;
  for (size_t i = first_node; i < graph.nodes.size(); ++i) {
    const ir::Node& node = *graph.nodes[i];
    if (node.op->family != ir::Family::contraction) continue;
    double count = 2 * static_cast<double>(node.result()->type.elements(1));
    for (const int64_t axis : node.attributes.integers("lhs")) {
      count *= static_cast<double>(node.operands[0]->type.shape[static_cast<size_t>(axis)].size);
    }
    flops += count;
  }
  return flops;
}

bool draws(const Layer& layer, Mode mode) {
  if (mode == Mode::predict) return false;
  if (!layer.when) return mode == Mode::train;
  return mode == Mode::train ? layer.when->train : layer.when->eval;
}

}  // namespace

Operand ForwardBuilder::build_layer(const Layer& layer) {
  const std::string origin =
      layer.named
          ? "output of '" + layer.name + "', line " + std::to_string(layer.kind.span.line)
          : "output of '" + layer.kind.text + "', line " + std::to_string(layer.kind.span.line);
  if (mode_ == Mode::predict && layer.predict) {
    return {each_row(formula(*layer.predict, *this, layer.name + ".predict")), origin};
  }
  return {each_row(build_body(layer)), origin};
}

ir::Value* ForwardBuilder::build_body(const Layer& layer) {
  layers::LayerContext context{
      .b = b_,
      .mode = mode_,
      .dtype = dtype_,
      .kind = layer.kind.text,
      .name = layer.name,
      .span = layer.kind.span,
      .args = layer.args,
      .inputs = {},
      .scope = *this,
      .random = *this,
      .derivatives = *this,
      .weight = [&](const layers::Weight& w) { return weight(layer, w); },
      .statistic = [&](const layers::Weight& w) { return statistic(layer, w); },
      .makes = [&](const ir::Value* kernel,
                   ir::Value* product) { forward_.products.emplace_back(kernel, product); },
      .frozen = layer.freeze.value,
      .draws = draws(layer, mode_)};
  if (layer.kind.text != "expr") {  // a formula names its own inputs
    for (const Name& input : layer.from) {
      context.inputs.push_back(find(input.text, input.span));
    }
  }
  if (layer.penalty) penalties_[layer.name] = *layer.penalty;
  const auto build = layers::find_layer(layer.kind.text);
  internal_check(build != nullptr, "layer " + layer.kind.text + " passed the schema");
  b_.set_span(layer.kind.span);
  const size_t first_node = forward_.graph->nodes.size();
  ir::Value* output = build(context);
  summarize(layer, output, first_node);
  return output;
}

namespace {

// Far above any memory, far below where sizes in bytes and counts of operations overflow.
void check_size(const Layer& layer, const layers::Weight& weight) {
  if (layers::elements(weight.shape) <= most_elements) return;
  throw UserError(layer.kind.span,
                  layer.kind.text + " '" + layer.name + "': its " + weight.name + " is too large",
                  "at most " + std::to_string(most_elements) + " numbers",
                  layers::shape_text(weight.shape));
}

}  // namespace

ir::Value* ForwardBuilder::weight(const Layer& layer, const layers::Weight& weight) {
  check_size(layer, weight);
  if (layer.share) return shared_weight(layer, weight);
  abi::StateDesc state;
  state.name = layer.name + "." + weight.name;
  state.dtype = dtype_;
  state.shape = weight.shape;
  state.initial = weight.initial;
  ir::Value* value = add_state(state);
  forward_.parameters.push_back({.name = state.name,
                                 .value = value,
                                 .trainable = !layer.freeze.value && updates(layer.name),
                                 .decays = weight.decays,
                                 .minimum = {},
                                 .maximum = {},
                                 .span = layer.span});
  return value;
}

namespace {

// `found`: what the other layer has under this name; null if nothing.
void check_shared(const Layer& layer, const layers::Weight& weight, const ir::Value* found) {
  const Name& owner = *layer.share;
  if (found == nullptr) {
    throw UserError(owner.span, "'" + owner.text + "' has no weight '" + weight.name + "' to share",
                    "a layer with the same weights as this " + layer.kind.text);
  }
  const std::vector<int64_t> shape = layers::row_shape(found);
  if (shape == weight.shape) return;
  throw UserError(owner.span,
                  "'" + layer.name + "' cannot share the weights of '" + owner.text + "': '" +
                      weight.name + "' has another shape",
                  layers::shape_text(weight.shape), layers::shape_text(shape));
}

}  // namespace

layers::Statistic ForwardBuilder::statistic(const Layer& layer, const layers::Weight& weight) {
  check_size(layer, weight);
  if (layer.share) find(layer.share->text, layer.share->span);
  const std::string name = (layer.share ? layer.share->text : layer.name) + "." + weight.name;
  if (layer.share) {
    const auto found = statistics_.find(name);
    check_shared(layer, weight, found == statistics_.end() ? nullptr : found->second.state);
  } else if (statistics_.count(name) == 0) {
    abi::StateDesc state;
    state.name = name;
    state.kind = abi::StateKind::statistic;
    state.dtype = dtype_;
    state.shape = weight.shape;
    state.initial = weight.initial;
    ir::Value* value = add_state(state);
    statistics_[name] = {value, value, layer.name, layer.span};
  }
  // Layers that share it see what those above them made of it.
  return {statistics_.at(name).now,
          [this, name](ir::Value* next) { statistics_.at(name).now = next; }};
}

void ForwardBuilder::assign_statistics() {
  for (const auto& [name, statistic] : statistics_) {
    if (statistic.now == statistic.state || !updates(statistic.layer)) continue;
    b_.set_span(statistic.span);
    b_.assign(statistic.state, statistic.now);
  }
}

ir::Value* ForwardBuilder::shared_weight(const Layer& layer, const layers::Weight& weight) {
  const Name& owner = *layer.share;
  find(owner.text, owner.span);
  ir::Value* found = nullptr;
  for (const ParameterInfo& parameter : forward_.parameters) {
    if (parameter.name == owner.text + "." + weight.name) found = parameter.value;
  }
  check_shared(layer, weight, found);
  return found;
}

void ForwardBuilder::summarize(const Layer& layer, const ir::Value* output, size_t first_node) {
  LayerSummary summary{.name = layer.name,
                       .kind = layer.kind.text,
                       .output_shape = layers::row_shape(output),
                       .parameters = 0,
                       .statistics = 0,
                       .flops = contraction_flops(*forward_.graph, first_node),
                       .frozen = layer.freeze.value,
                       .span = layer.span};
  for (const abi::StateDesc& state : forward_.states) {
    // Not those of the layers inside: they have lines of their own.
    const size_t dot = state.name.rfind('.');
    if (dot == std::string::npos || state.name.substr(0, dot) != layer.name) continue;
    const auto count = static_cast<int64_t>(state.elements());
    if (state.kind == abi::StateKind::parameter) summary.parameters += count;
    if (state.kind == abi::StateKind::statistic) summary.statistics += count;
  }
  forward_.layers.push_back(std::move(summary));
}

}  // namespace nnc::assemble
