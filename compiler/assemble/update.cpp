#include "compiler/assemble/update.h"

#include <algorithm>

#include "compiler/ir/builder.h"
#include "compiler/layers/optimizers.h"

namespace nnc::assemble {

namespace {

// The trained parameters that the loss depends on, with their gradients.
struct Step {
  std::vector<const ParameterInfo*> parameters;
  std::vector<ir::Value*> gradients;
};

Step reached(const Forward& forward, const std::vector<ir::Value*>& gradients,
             Diagnostics& diagnostics) {
  Step step;
  std::vector<const ParameterInfo*> missing;
  size_t i = 0;
  for (const ParameterInfo& parameter : forward.parameters) {
    if (!parameter.trainable) continue;
    ir::Value* gradient = gradients.at(i++);
    if (gradient == nullptr) {
      missing.push_back(&parameter);
      continue;
    }
    step.parameters.push_back(&parameter);
    step.gradients.push_back(gradient);
  }
  if (step.parameters.empty()) return step;
  for (const ParameterInfo* parameter : missing) {
    diagnostics.warning(parameter->span,
                        "the loss does not depend on '" + parameter->name + "': it never changes");
  }
  return step;
}

ir::Value* scalar(ir::Graph& graph, const std::string& name, ir::DType dtype) {
  if (ir::Value* known = graph.find_param(ir::ParamKind::scalar, name)) return known;
  return graph.add_param(ir::ParamKind::scalar, name, ir::Type{dtype, {}}, name);
}

// How a step changes what it has gradients of: a phase's own way, or that of the file.
struct Rule {
  const Choice& optimizer;
  const std::optional<Clip>& clip;
  std::string phase;  // where there are several
  SourceSpan span;    // of what is minimised
};

Rule rule_of(const Description& description, const EntryPlan& entry) {
  const Train& train = *description.train;
  if (const Phase* phase = entry.phase)
    return {phase->optimizer, phase->clip, phase->name, phase->minimize.span};
  return {train.optimizer, train.clip, "", description.loss->span};
}

// "fc1.kernel:adam.m": starts at zero, of the parameter's shape. A phase has its own.
ir::Value* optimizer_state(Forward& forward, const ParameterInfo& parameter, const Rule& rule,
                           const std::string& name) {
  abi::StateDesc state;
  state.name = parameter.name + ":" + (rule.phase.empty() ? "" : rule.phase + ".") + name;
  state.kind = abi::StateKind::optimizer;
  state.dtype = parameter.value->type.dtype;
  for (const ir::Dim& dim : parameter.value->type.shape) state.shape.push_back(dim.size);
  state.stream = layers::stream_of(state.name);
  forward.states.push_back(state);
  return forward.graph->add_param(ir::ParamKind::state, state.name, parameter.value->type,
                                  state.name);
}

void update_parameter(ir::Builder& b, Forward& forward, const ParameterInfo& parameter,
                      ir::Value* gradient, const Rule& rule) {
  const Choice& optimizer = rule.optimizer;
  const layers::OptimizerDef* def = layers::find_optimizer(optimizer.kind);
  internal_check(def != nullptr, "optimizer " + optimizer.kind + " passed the schema");
  const ir::DType dtype = parameter.value->type.dtype;
  layers::UpdateContext context{
      .b = b,
      .args = optimizer.args,
      .parameter = parameter.value,
      .gradient = gradient,
      .decays = parameter.decays,
      .state = [&](const std::string& n) { return optimizer_state(forward, parameter, rule, n); },
      .scalar = [&](const std::string& n) { return scalar(*forward.graph, n, dtype); }};
  ir::Value* next = def->update(context);
  if (parameter.minimum) next = b.binary("max", next, b.constant_like(*parameter.minimum, next));
  if (parameter.maximum) next = b.binary("min", next, b.constant_like(*parameter.maximum, next));
  b.assign(parameter.value, next);
}

}  // namespace

void append_update(Forward& forward, const std::vector<ir::Value*>& gradients,
                   const Description& description, const EntryPlan& entry,
                   Diagnostics& diagnostics) {
  internal_check(description.train && description.loss, "an update without train and loss");
  const Rule rule = rule_of(description, entry);
  Step step = reached(forward, gradients, diagnostics);
  if (step.parameters.empty()) {
    diagnostics.error(
        rule.span, "the loss does not depend on any trained weight",
        "a loss of values that trained layers produce, by ways that have a derivative: "
        "indices, step, sign, floor and round have none");
    return;
  }
  ir::Builder b(*forward.graph);
  if (rule.clip && rule.clip->value) {
    b.set_span(rule.clip->value->span);
    step.gradients = layers::clip_by_value(b, step.gradients, rule.clip->value->value);
  }
  if (rule.clip && rule.clip->norm) {
    b.set_span(rule.clip->norm->span);
    step.gradients = layers::clip_by_norm(b, step.gradients, rule.clip->norm->value);
  }
  b.set_span(rule.optimizer.span);
  for (size_t i = 0; i < step.parameters.size(); ++i) {
    update_parameter(b, forward, *step.parameters[i], step.gradients[i], rule);
  }
}

}  // namespace nnc::assemble
