#include "compiler/passes/prelude.h"

#include <algorithm>
#include <functional>
#include <set>

#include "compiler/ir/builder.h"
#include "compiler/ir/op.h"
#include "compiler/kernel/group.h"
#include "compiler/support/diagnostics.h"

namespace nnc::passes {

using ir::Graph;
using ir::Node;
using ir::Value;

namespace {

bool has_batch(const Value* value) {
  return std::any_of(value->type.shape.begin(), value->type.shape.end(),
                     [](const ir::Dim& dim) { return dim.batch; });
}

// Values without rows that are made of states and constants alone.
class Constants {
 public:
  explicit Constants(const Graph& graph) {
    for (const ir::Param& param : graph.params)
      if (param.kind == ir::ParamKind::state) values_.insert(param.value.get());
    for (const auto& node : graph.nodes) {
      if (node->op->family == ir::Family::state || node->region) continue;
      const bool constant = std::all_of(node->operands.begin(), node->operands.end(),
                                        [&](const Value* v) { return has(v); });
      for (const auto& result : node->results)
        if (constant && !has_batch(result.get())) values_.insert(result.get());
    }
  }

  bool has(const Value* value) const { return values_.count(value) > 0; }

 private:
  std::set<const Value*> values_;
};

// The computed value that a chain of movements starts from; null if there is none.
const Value* computed_source(const Value* value) {
  while (value->node && kernel::is_duplicable(*value->node)) {
    if (value->node->operands.empty()) return nullptr;
    value = value->node->operands[0];
  }
  return value->node ? value : nullptr;
}

// The values that a step without rows may keep for the others: operands of those that need rows.
std::vector<const Value*> frontier(const Graph& graph) {
  const Constants constants(graph);
  std::vector<const Value*> found;
  const auto look = [&](const Value* operand) {
    if (!constants.has(operand)) return;
    const Value* source = computed_source(operand);
    if (source && std::count(found.begin(), found.end(), source) == 0) found.push_back(source);
  };
  for (const auto& node : graph.nodes) {
    const bool needs_rows = std::any_of(node->results.begin(), node->results.end(),
                                        [&](auto& r) { return !constants.has(r.get()); });
    if (!needs_rows) continue;
    for (const Value* operand : node->operands) look(operand);
  }
  return found;
}

void drop_unused_states(Graph& graph) {
  std::set<const Value*> used;
  for (const ir::Output& output : graph.outputs) used.insert(output.value);
  for (const auto& node : graph.nodes) used.insert(node->operands.begin(), node->operands.end());
  std::erase_if(graph.params, [&](const ir::Param& param) {
    return param.kind == ir::ParamKind::state && used.count(param.value.get()) == 0;
  });
  for (size_t i = 0; i < graph.params.size(); ++i)
    graph.params[i].value->index = static_cast<int>(i);
}

}  // namespace

Prelude::Prelude() : graph_(std::make_unique<Graph>("prelude")) {}

Value* Prelude::copy(const Value* value) {
  if (auto it = copies_.find(value); it != copies_.end()) return it->second;
  if (!value->node) throw InternalError("internal error: a state without a copy");
  std::vector<Value*> operands;
  for (const Value* operand : value->node->operands) operands.push_back(copy(operand));
  const Node* node =
      graph_->add(value->node->op, operands, value->node->attributes, value->node->span);
  for (size_t i = 0; i < node->results.size(); ++i)
    copies_[value->node->result(static_cast<int>(i))] = node->results[i].get();
  return copies_.at(value);
}

// What a value computes, as text: equal texts are equal values, of whatever graph.
std::string Prelude::text_of(const Value* value) const {
  Graph alone("value");
  std::map<const Value*, Value*> twins;
  std::string states;
  std::function<Value*(const Value*)> twin = [&](const Value* v) {
    if (const auto it = twins.find(v); it != twins.end()) return it->second;
    if (!v->node) {
      states += names_.at(v) + "\n";
      return twins[v] = alone.add_param(ir::ParamKind::state, "state", v->type);
    }
    std::vector<Value*> operands;
    for (const Value* operand : v->node->operands) operands.push_back(twin(operand));
    return twins[v] = alone.add(v->node->op, operands, v->node->attributes)->result(v->index);
  };
  alone.add_output("value", twin(value));
  return states + ir::print(alone);
}

std::string Prelude::first_state(const Value* value) const {
  if (!value->node) return names_.at(value);
  for (const Value* operand : value->node->operands) {
    const std::string name = first_state(operand);
    if (!name.empty()) return name;
  }
  return "";
}

// After the first state that the value is made of.
std::string Prelude::fresh_name(const Value* value) const {
  std::string base = first_state(value);
  base = (base.empty() ? "constant" : base) + ":folded";
  const auto taken = [&](const std::string& name) {
    return std::any_of(states_.begin(), states_.end(),
                       [&](const DerivedState& s) { return s.name == name; });
  };
  std::string name = base;
  for (int i = 2; taken(name); ++i) name = base + std::to_string(i);
  return name;
}

const DerivedState& Prelude::derive(const Value* value) {
  const auto [place, fresh] = known_.try_emplace(text_of(value), states_.size());
  if (fresh) {
    states_.push_back({fresh_name(value), value->type});
    ir::Builder b(*graph_);
    if (value->node) b.set_span(value->node->span);
    Value* result = copy(value);
    const DerivedState& state = states_.back();
    b.assign(graph_->add_param(ir::ParamKind::state, state.name, state.type, state.name), result);
  }
  return states_[place->second];
}

bool Prelude::take_from(Graph& graph) {
  const std::vector<const Value*> values = frontier(graph);
  if (values.empty()) return false;
  copies_.clear();
  names_.clear();
  for (const ir::Param& param : graph.params) {
    if (param.kind != ir::ParamKind::state) continue;
    names_[param.value.get()] = param.external_name;
    Value* known = graph_->find_param(ir::ParamKind::state, param.external_name);
    copies_[param.value.get()] = known
                                     ? known
                                     : graph_->add_param(ir::ParamKind::state, param.external_name,
                                                         param.value->type, param.external_name);
  }
  std::vector<DerivedState> derived;  // all before the first is replaced: they share parts
  for (const Value* value : values) derived.push_back(derive(value));
  for (size_t i = 0; i < values.size(); ++i) {
    const DerivedState& state = derived[i];
    Value* param = graph.find_param(ir::ParamKind::state, state.name);
    if (!param) param = graph.add_param(ir::ParamKind::state, state.name, state.type, state.name);
    graph.replace_uses(values[i], param);
  }
  graph.remove_dead();
  drop_unused_states(graph);
  drop_unused_states(*graph_);
  return true;
}

}  // namespace nnc::passes
