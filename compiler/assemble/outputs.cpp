// What the model predicts, and leaving out what nobody needs.
#include <map>
#include <set>

#include "compiler/assemble/forward_builder.h"
#include "compiler/ir/op.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"

namespace nnc::assemble {

// Outputs are built in every mode, so that their mistakes are found early; only prediction keeps
// them.
void ForwardBuilder::build_predictions() {
  for (const NamedFormula& output : description_.model.outputs) {
    attempt([&] {
      // A layer of the same name comes first in find(), and an output may be called as its layer
      // is.
      const layers::Operand operand = build_output(output);
      values_.emplace(output.name.text, operand);
      if (mode_ == Mode::predict) add_output(output, operand);
    });
  }
  if (mode_ == Mode::predict) name_class_outputs();
}

void ForwardBuilder::add_output(const NamedFormula& output, const layers::Operand& operand) {
  OutputInfo info{output.name.text, layers::row_shape(operand.value), "", ""};
  forward_.graph->add_output(output.name.text, predicted(output, operand.value, info.units));
  forward_.outputs.push_back(std::move(info));
}

// Removes nodes without use, inputs that nothing reads and, for prediction, states that nothing
// reads. Training keeps all weights: they are written to the weights file.
void ForwardBuilder::drop_unused() {
  ir::Graph& graph = *forward_.graph;
  graph.remove_dead();
  std::set<const ir::Value*> used;
  for (const ir::Output& output : graph.outputs) used.insert(output.value);
  for (const auto& node : graph.nodes) used.insert(node->operands.begin(), node->operands.end());
  std::set<std::string> dropped;
  std::erase_if(graph.params, [&](const ir::Param& param) {
    const bool may_go = param.kind != ir::ParamKind::state || mode_ == Mode::predict;
    if (!may_go || used.count(param.value.get()) > 0) return false;
    if (param.kind == ir::ParamKind::state) dropped.insert(param.external_name);
    return true;
  });
  for (size_t i = 0; i < graph.params.size(); ++i) {
    graph.params[i].value->index = static_cast<int>(i);
  }
  std::erase_if(forward_.states,
                [&](const abi::StateDesc& state) { return dropped.count(state.name) > 0; });
  std::erase_if(forward_.parameters,
                [&](const ParameterInfo& info) { return dropped.count(info.name) > 0; });
}

namespace {

// The nodes that draw random numbers on the way to a value.
std::set<const ir::Node*> random_nodes(const ir::Value* value) {
  std::set<const ir::Node*> seen, random;
  std::vector<const ir::Node*> open{value->node};
  while (!open.empty()) {
    const ir::Node* node = open.back();
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    if (node->op->family == ir::Family::generator && !node->op->pure) random.insert(node);
    for (const ir::Value* operand : node->operands) open.push_back(operand->node);
  }
  return random;
}

}  // namespace

// A prediction is the same each time: what an output needs must not be drawn.
void ForwardBuilder::refuse_random() {
  std::set<const ir::Node*> reported;
  for (const ir::Output& output : forward_.graph->outputs) {
    for (const ir::Node* node : random_nodes(output.value)) {
      if (!reported.insert(node).second) continue;
      const auto owner = drawn_for_.find(node->result());
      const Layer* layer =
          owner == drawn_for_.end() ? nullptr : description_.model.layer(owner->second);
      if (layer == nullptr) {
        diagnostics_.error(
            node->span,
            "a prediction draws no random numbers, and " + in_quotes(output.name) + " is predicted",
            "an output without random numbers");
        continue;
      }
      diagnostics_.error(node->span,
                         "a prediction draws no random numbers, and the output " +
                             in_quotes(output.name) + " needs " + in_quotes(layer->name),
                         layer->predict
                             ? "a formula in `predict:` that draws none"
                             : "`predict:` beside " + in_quotes(layer->name) +
                                   " with what a prediction takes in its place, such as the mean");
    }
  }
}

}  // namespace nnc::assemble
