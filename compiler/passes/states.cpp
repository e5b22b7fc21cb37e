// A state is written in place, after every reader of its old value. Where some reader needs what
// the writer computes (two states that swap, old and new side by side), no order does that: the new
// value is kept aside then, and copied into the state at the end.
#include <algorithm>
#include <map>
#include <set>

#include "compiler/ir/op.h"
#include "compiler/passes/pass.h"

namespace nnc::passes {

using ir::Graph;
using ir::Node;
using ir::Value;

namespace {

using Followers = std::map<const Node*, std::set<const Node*>>;

bool is_state(const Node& node) { return node.op->family == ir::Family::state; }

bool reads(const Node& node, const Value* value) {
  return std::count(node.operands.begin(), node.operands.end(), value) > 0;
}

// Groups that have to come after each group: users of its results, and whoever overwrites a state
// that it reads.
Followers followers_of(const Graph& graph) {
  Followers after;
  for (const auto& node : graph.nodes) {
    if (is_state(*node)) {
      const Node* writer = node->operands[1]->node;
      for (const auto& reader : graph.nodes)
        if (!is_state(*reader) && reader.get() != writer && reads(*reader, node->operands[0]))
          after[reader.get()].insert(writer);
      continue;
    }
    for (const Value* operand : node->operands)
      if (operand->node) after[operand->node].insert(node.get());
  }
  return after;
}

void reach(const Followers& after, const Node* from, std::set<const Node*>& seen) {
  if (!seen.insert(from).second) return;
  if (auto it = after.find(from); it != after.end())
    for (const Node* next : it->second) reach(after, next, seen);
}

// Whether the group that writes the state has to come before one that reads it.
bool too_early(const Graph& graph, const Node& assign) {
  const Node* writer = assign.operands[1]->node;
  std::set<const Node*> later;
  reach(followers_of(graph), writer, later);
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const auto& node) {
    return !is_state(*node) && node.get() != writer && reads(*node, assign.operands[0]) &&
           later.count(node.get()) > 0;
  });
}

void copy_aside(Graph& graph, Node& assign) {
  Value* value = assign.operands[1];
  auto region = std::make_unique<Graph>("region", graph.batch);
  region->add_output(value->name,
                     region->add_param(ir::ParamKind::value, value->name, value->type));
  Node* copy = graph.add(ir::op("group"), {value}, {}, assign.span, std::move(region));
  copy->result()->name = graph.unique_name(value->name);
  assign.operands[1] = copy->result();
}

}  // namespace

bool separate_states(Graph& graph) {
  bool changed = false;
  std::vector<Node*> assigns;
  for (const auto& node : graph.nodes)
    if (is_state(*node)) assigns.push_back(node.get());
  for (Node* assign : assigns) {
    if (!too_early(graph, *assign)) continue;
    copy_aside(graph, *assign);
    changed = true;
  }
  if (changed)
    std::stable_partition(graph.nodes.begin(), graph.nodes.end(),
                          [](const auto& node) { return !is_state(*node); });
  return changed;
}

}  // namespace nnc::passes
