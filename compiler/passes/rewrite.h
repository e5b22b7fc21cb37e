// Helpers that rewriting passes share: building in front of a node, and recognising patterns.
#pragma once

#include <string>

#include "compiler/ir/builder.h"
#include "compiler/ir/graph.h"
#include "compiler/ir/op.h"

namespace nnc::passes {

inline bool is_op(const ir::Node* node, const char* name) { return node && node->op->name == name; }
inline bool is_op(const ir::Value* value, const char* name) { return is_op(value->node, name); }

// Whether the value shows elements of its base several times: windows that overlap.
inline bool shows_windows(const ir::Value* value) {
  for (; value->node && value->node->op->family == ir::Family::movement;
       value = value->node->operands[0])
    if (is_op(value, "window")) return true;
  return false;
}

// A constant with one number in every element (a broadcast one included).
inline bool uniform_constant(const ir::Value* value, double& number) {
  while (value->node && value->node->op->family == ir::Family::movement)
    value = value->node->operands[0];
  if (!is_op(value, "constant")) return false;
  number = value->node->attributes.number("value");
  return true;
}

inline bool is_constant(const ir::Value* value, double number) {
  double found = 0;
  return uniform_constant(value, found) && found == number;
}

// Rewrites a graph in one walk: `rule(node, builder)` returns the value that replaces the node's
// first result, or null. New nodes land in front of the node they replace.
template <typename Rule>
bool rewrite(ir::Graph& graph, const Rule& rule) {
  bool changed = false;
  std::vector<std::unique_ptr<ir::Node>> old = std::move(graph.nodes);
  graph.nodes.clear();
  ir::Builder builder(graph);
  std::vector<std::unique_ptr<ir::Node>> replaced;  // kept alive: later nodes still point at them
  std::map<const ir::Value*, ir::Value*> now;
  auto current = [&](ir::Value* v) {
    auto it = now.find(v);
    return it == now.end() ? v : it->second;
  };
  for (auto& node : old) {
    for (ir::Value*& operand : node->operands) operand = current(operand);
    builder.set_span(node->span);
    ir::Value* replacement = node->results.empty() ? nullptr : rule(*node, builder);
    if (replacement && replacement != node->result()) {
      now[node->result()] = replacement;
      changed = true;
      replaced.push_back(std::move(node));
    } else {
      graph.nodes.push_back(std::move(node));
    }
  }
  for (ir::Output& output : graph.outputs) output.value = current(output.value);
  return changed;
}

}  // namespace nnc::passes
