#include "compiler/ir/graph.h"

#include <set>

#include "compiler/ir/op.h"
#include "compiler/support/diagnostics.h"

namespace nnc::ir {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

// Copies `node` with its operands looked up in `values`, and records its results there.
std::unique_ptr<Node> copy_node(const Node& node, std::map<const Value*, Value*>& values) {
  auto copy = std::make_unique<Node>();
  copy->op = node.op;
  copy->attributes = node.attributes;
  copy->span = node.span;
  for (const Value* operand : node.operands) copy->operands.push_back(values.at(operand));
  for (const auto& result : node.results) {
    auto value = std::make_unique<Value>(*result);
    value->node = copy.get();
    values[result.get()] = value.get();
    copy->results.push_back(std::move(value));
  }
  if (node.region) copy->region = node.region->clone();
  return copy;
}

}  // namespace

Value* Graph::add_param(ParamKind kind, const std::string& name, Type type,
                        const std::string& external_name) {
  Param param;
  param.kind = kind;
  param.external_name = external_name.empty() ? name : external_name;
  param.value = std::make_unique<Value>();
  param.value->type = std::move(type);
  param.value->name = unique_name(name);
  param.value->index = static_cast<int>(params.size());
  params.push_back(std::move(param));
  return params.back().value.get();
}

Value* Graph::find_param(ParamKind kind, const std::string& external_name) const {
  for (const Param& param : params) {
    if (param.kind == kind && param.external_name == external_name) return param.value.get();
  }
  return nullptr;
}

Node* Graph::add(const OpDef* op, std::vector<Value*> operands, Attributes attributes,
                 SourceSpan span, std::unique_ptr<Graph> region) {
  auto node = std::make_unique<Node>();
  node->op = op;
  node->operands = std::move(operands);
  node->attributes = std::move(attributes);
  node->region = std::move(region);
  node->span = std::move(span);
  const std::vector<Type> types = infer_types(*node, batch);
  for (size_t i = 0; i < types.size(); ++i) {
    auto value = std::make_unique<Value>();
    value->type = types[i];
    value->name = unique_name(op->name);
    value->node = node.get();
    value->index = static_cast<int>(i);
    node->results.push_back(std::move(value));
  }
  nodes.push_back(std::move(node));
  return nodes.back().get();
}

std::string Graph::unique_name(const std::string& base) {
  std::string clean;
  for (char c : base) clean += is_name_character(c) ? c : '_';
  if (clean.empty()) clean = "value";
  int& count = name_counts_[clean];
  if (count++ == 0) return clean;
  while (true) {
    std::string candidate = clean + "_" + std::to_string(count);
    if (name_counts_.emplace(candidate, 1).second) return candidate;
    ++count;
  }
}

std::unique_ptr<Graph> Graph::clone() const {
  auto copy = std::make_unique<Graph>(name, batch);
  copy->name_counts_ = name_counts_;
  std::map<const Value*, Value*> values;
  for (const Param& param : params) {
    Param twin{param.kind, std::make_unique<Value>(*param.value), param.external_name};
    values[param.value.get()] = twin.value.get();
    copy->params.push_back(std::move(twin));
  }
  for (const auto& node : nodes) copy->nodes.push_back(copy_node(*node, values));
  for (const Output& output : outputs) {
    copy->outputs.push_back({output.name, values.at(output.value)});
  }
  return copy;
}

void Graph::replace_uses(const Value* from, Value* to) {
  for (const auto& node : nodes) {
    for (Value*& operand : node->operands) {
      if (operand == from) operand = to;
    }
  }
  for (Output& output : outputs) {
    if (output.value == from) output.value = to;
  }
}

int Graph::remove_dead() {
  std::set<const Value*> used;
  for (const Output& output : outputs) used.insert(output.value);
  std::vector<std::unique_ptr<Node>> kept;
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    bool needed = (*it)->op->family == Family::state;
    for (const auto& result : (*it)->results) needed = needed || used.count(result.get()) > 0;
    if (!needed) continue;
    used.insert((*it)->operands.begin(), (*it)->operands.end());
    kept.push_back(std::move(*it));
  }
  const int removed = static_cast<int>(nodes.size() - kept.size());
  nodes.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  return removed;
}

std::map<const Value*, std::vector<Node*>> users_of(const Graph& graph) {
  std::map<const Value*, std::vector<Node*>> users;
  for (const auto& node : graph.nodes) {
    for (const Value* operand : node->operands) users[operand].push_back(node.get());
  }
  return users;
}

}  // namespace nnc::ir
