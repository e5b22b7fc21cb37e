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
using ir::Users;
using ir::Value;

namespace {

using Followers = std::map<const Node*, std::set<const Node*>>;

bool is_state(const Node& node) { return node.op->family == ir::Family::state; }

// The other groups that read the state which this one writes.
std::vector<const Node*> readers_of(const Node& assign, const Users& users) {
  std::vector<const Node*> readers;
  if (auto it = users.find(assign.operands[0]); it != users.end())
    for (const Node* node : it->second)
      if (!is_state(*node) && node != assign.operands[1]->node) readers.push_back(node);
  return readers;
}

// Groups that have to come after each group: users of its results, and whoever overwrites a state
// that it reads.
Followers followers_of(const Graph& graph, const Users& users) {
  Followers after;
  for (const auto& node : graph.nodes) {
    if (is_state(*node)) {
      const Node* writer = node->operands[1]->node;
      for (const Node* reader : readers_of(*node, users)) after[reader].insert(writer);
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
bool too_early(const Node& assign, const Users& users, const Followers& after) {
  std::set<const Node*> later;
  reach(after, assign.operands[1]->node, later);
  return std::ranges::any_of(readers_of(assign, users),
                             [&](const Node* reader) { return later.count(reader) > 0; });
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
  Users users = ir::users_of(graph);
  Followers after = followers_of(graph, users);
  for (Node* assign : assigns) {
    if (!too_early(*assign, users, after)) continue;
    copy_aside(graph, *assign);
    changed = true;
    users = ir::users_of(graph);
    after = followers_of(graph, users);
  }
  if (changed)
    std::stable_partition(graph.nodes.begin(), graph.nodes.end(),
                          [](const auto& node) { return !is_state(*node); });
  return changed;
}

}  // namespace nnc::passes
