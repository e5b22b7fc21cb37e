// Names to values: each is built when it is first asked for.
#include <algorithm>

#include "compiler/assemble/forward_builder.h"
#include "compiler/layers/formula.h"
#include "compiler/layers/initialisers.h"
#include "compiler/layers/random.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"
#include "runtime/shape.h"

namespace nnc::assemble {

using layers::Operand;

Operand ForwardBuilder::find(const std::string& name, const SourceSpan& span) {
  if (const auto found = values_.find(name); found != values_.end()) return found->second;
  if (failed_.count(name) > 0) throw AlreadyReported{};
  if (std::find(in_progress_.begin(), in_progress_.end(), name) != in_progress_.end()) {
    throw UserError(span, "'" + name + "' depends on itself", "a model without cycles",
                    join(in_progress_, "and") + " lead back to '" + name + "'");
  }
  const SourceSpan before = b_.span();
  in_progress_.push_back(name);
  try {
    const Operand operand = make(name, span);
    in_progress_.pop_back();
    b_.set_span(before);
    return values_[name] = operand;
  } catch (...) {
    in_progress_.pop_back();
    b_.set_span(before);
    failed_.insert(name);
    throw;
  }
}

Operand ForwardBuilder::make(const std::string& name, const SourceSpan& span) {
  for (const Layer& layer : description_.model.layers) {
    if (layer.name == name) return build_layer(layer);
  }
  for (const Parameter& parameter : description_.model.params) {
    if (parameter.name.text == name) return build_parameter(parameter);
  }
  for (const FieldInfo& info : fields_) {
    if (info.name != name) continue;
    check_reads(name, span);
    return build_field(info, span);
  }
  for (const NamedFormula& output : description_.model.outputs) {
    if (output.name.text == name) return build_output(output);
  }
  if (const auto found = find_weight(name)) return *found;
  throw UserError(span, "there is no value " + in_quotes(name),
                  "a layer, a field, a parameter or an output of this model");
}

// fc1.kernel: the layer is built first, then its weights are known.
std::optional<Operand> ForwardBuilder::find_weight(const std::string& name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  const std::string layer_name = name.substr(0, dot);
  if (const Layer* layer = description_.model.layer(layer_name)) find(layer->name, layer->span);
  for (const ParameterInfo& parameter : forward_.parameters) {
    if (parameter.name == name) return Operand{parameter.value, "weight '" + name + "'"};
  }
  if (const auto statistic = statistics_.find(name); statistic != statistics_.end()) {
    return Operand{statistic->second.state, "statistic '" + name + "'"};
  }
  return std::nullopt;
}

Operand ForwardBuilder::build_parameter(const Parameter& parameter) {
  abi::StateDesc state;
  state.name = parameter.name.text;
  state.dtype = dtype_;
  state.shape = parameter.shape;
  if (layers::elements(state.shape) > most_elements) {
    throw UserError(parameter.name.span, "the parameter '" + state.name + "' is too large",
                    "at most " + std::to_string(most_elements) + " numbers",
                    layers::shape_text(state.shape));
  }
  state.initial = layers::initial_of_parameter(parameter.init, state.name, state.shape);
  ir::Value* value = add_state(state);
  ParameterInfo info;
  info.name = state.name;
  info.value = value;
  info.trainable = updates(state.name);
  info.span = parameter.name.span;
  info.decays = parameter.shape.size() > 1;
  if (parameter.minimum) info.minimum = parameter.minimum->value;
  if (parameter.maximum) info.maximum = parameter.maximum->value;
  forward_.parameters.push_back(info);
  return {value, "parameter '" + state.name + "'"};
}

Operand ForwardBuilder::build_output(const NamedFormula& output) {
  return {each_row(formula(output.formula, *this, "outputs." + output.name.text)),
          "output '" + output.name.text + "', line " + std::to_string(output.name.span.line)};
}

ir::Value* ForwardBuilder::formula(const Formula& formula, layers::Scope& scope,
                                   const std::string& path) {
  b_.set_span(formula.span);
  layers::FormulaContext context{.b = b_,
                                 .scope = scope,
                                 .dtype = dtype_,
                                 .units = this,
                                 .random = this,
                                 .derivatives = this,
                                 .mode = mode_,
                                 .path = path};
  return layers::build_formula(context, formula);
}

ir::Value* ForwardBuilder::draw(const std::string& op, const ir::Shape& shape,
                                const std::string& path) {
  // Each phase draws numbers of its own.
  const std::string own = entry_.phase == nullptr ? path : entry_.phase->name + "/" + path;
  ir::Value* value = layers::random_numbers(b_, mode_, op, {dtype_, shape}, own);
  drawn_for_[value] = in_progress_.empty() ? "" : in_progress_.back();
  return value;
}

ir::Value* ForwardBuilder::each_row(ir::Value* value) {
  return layers::spread(b_, value, layers::row_shape(value), true);
}

ir::Value* ForwardBuilder::add_state(abi::StateDesc state) {
  state.stream = layers::stream_of(state.name);
  const ir::Type type{state.dtype, ir::fixed_shape(state.shape)};
  ir::Value* value = forward_.graph->add_param(ir::ParamKind::state, state.name, type, state.name);
  forward_.states.push_back(std::move(state));
  return value;
}

}  // namespace nnc::assemble
