// Fusion: compute nodes are merged into groups, each of which becomes one kernel. What may share a
// kernel is said by kernel::analyse_group alone; this file only looks for merges that need no
// cycle, and rebuilds the graph with one `group` node per group.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "compiler/ir/op.h"
#include "compiler/kernel/group.h"
#include "compiler/kernel/views.h"
#include "compiler/passes/pass.h"
#include "compiler/support/diagnostics.h"

namespace nnc::passes {

using ir::Graph;
using ir::Node;
using ir::Value;
using kernel::is_duplicable;

namespace {

// Beyond this a group would run out of registers and compile slowly.
constexpr size_t max_group_nodes = 64;
// Computing this much again costs less than writing and reading a vector.
constexpr double cheap_cost = 6;
// So few channels leave half of a vector or more empty.
constexpr int64_t few_columns = 8;

class Fusion {
 public:
  explicit Fusion(Graph& graph) : graph_(graph), users_(ir::users_of(graph)) {}

  bool run() {
    collect();
    absorb_private();
    absorb_late();
    while (merge_once()) {
    }
    rebuild();
    return true;
  }

 private:
  using Group = std::vector<const Node*>;

  // Compute nodes that produce `value`, through duplicable nodes.
  void producers(const Value* value, std::set<const Node*>& found) const {
    if (!value->node) return;
    if (!is_duplicable(*value->node)) {
      found.insert(value->node);
      return;
    }
    for (const Value* operand : value->node->operands) producers(operand, found);
  }

  void collect() {
    for (const auto& node : graph_.nodes) {
      if (is_duplicable(*node) || node->op->family == ir::Family::state) continue;
      const int id = static_cast<int>(groups_.size());
      groups_.push_back({node.get()});
      owner_[node.get()] = id;
      inputs_.emplace_back();
      order_[node.get()] = id;
      std::set<const Node*> found;
      for (const Value* operand : node->operands) producers(operand, found);
      readers_.emplace_back();
      for (const Node* p : found) connect(owner_.at(p), id);
    }
  }

  void connect(int producer, int user) {
    inputs_[static_cast<size_t>(user)].insert(producer);
    readers_[static_cast<size_t>(producer)].insert(user);
  }

  // What `user` read and what read it are the other's from now on.
  void join(int producer, int user) {
    for (const int input : std::exchange(inputs_[static_cast<size_t>(user)], {})) {
      readers_[static_cast<size_t>(input)].erase(user);
      if (input != producer) connect(input, producer);
    }
    for (const int reader : std::exchange(readers_[static_cast<size_t>(user)], {})) {
      inputs_[static_cast<size_t>(reader)].erase(user);
      if (reader != producer) connect(producer, reader);
    }
  }

  bool reaches(int from, int to, std::set<int>& seen) const {
    if (from == to) return true;
    if (!seen.insert(from).second) return false;
    for (int next : inputs_[static_cast<size_t>(from)])
      if (reaches(next, to, seen)) return true;
    return false;
  }

  // Whether `user` depends on `producer` through a third group: merging would make a cycle.
  bool indirect(int producer, int user) const {
    std::set<int> seen;
    for (int next : inputs_[static_cast<size_t>(user)])
      if (next != producer && reaches(next, producer, seen)) return true;
    return false;
  }

  // Two groups that may not be merged never may unless one of them grows.
  bool try_merge(int producer, int user) {
    const size_t nodes =
        groups_[static_cast<size_t>(producer)].size() + groups_[static_cast<size_t>(user)].size();
    size_t& refused = refused_[{producer, user}];
    if (refused == nodes) return false;
    if (merge(producer, user)) return true;
    refused = nodes;
    return false;
  }

  bool merge(int producer, int user) {
    Group& a = groups_[static_cast<size_t>(producer)];
    Group& b = groups_[static_cast<size_t>(user)];
    if (a.size() + b.size() > max_group_nodes || indirect(producer, user)) return false;
    Group both = a;
    both.insert(both.end(), b.begin(), b.end());
    std::sort(both.begin(), both.end(),
              [&](const Node* x, const Node* y) { return order_.at(x) < order_.at(y); });
    const auto shape = kernel::analyse_group(both);
    if (!shape || stores_full_columns(*shape, both) || shows_parts(*shape, both) ||
        wastes_lanes(*shape, both) || turns_rows(*shape, both))
      return false;
    if (shape->padding && used_outside(shape->padding->result(), {both.begin(), both.end()}))
      return false;
    for (const Node* node : b) owner_[node] = producer;
    a = std::move(both);
    b.clear();
    join(producer, user);
    return true;
  }

  // A group that folds columns is shared among threads by columns: values of the whole space that
  // others need are better off in a group of their own, but where threads share rows.
  bool stores_full_columns(const kernel::GroupShape& shape, const Group& group) const {
    if (shape.kind != kernel::GroupKind::column || kernel::counts_rows_last(shape.result))
      return false;
    const std::set<const Node*> members(group.begin(), group.end());
    for (const Node* node : group) {
      if (node->result()->type.shape != shape.space || shape.space == shape.result) continue;
      if (used_outside(node->result(), members)) return true;
    }
    return false;
  }

  // Behind a product of few columns, as pictures of few channels are, costly functions are computed
  // for vectors that are mostly empty; by themselves they run along all that lies in a line.
  static bool wastes_lanes(const kernel::GroupShape& shape, const Group& group) {
    if (shape.kind != kernel::GroupKind::contract || shape.space.size() < 3) return false;
    const ir::Dim& columns = shape.space.back();
    return !columns.batch && columns.size <= few_columns &&
           std::any_of(group.begin(), group.end(), [](const Node* node) {
             return node->op->family == ir::Family::elementwise && node->op->cost > cheap_cost;
           });
  }

  // Sums over rows read them where they come first: a copy that puts them there stays by itself.
  static bool turns_rows(const kernel::GroupShape& shape, const Group& group) {
    if (shape.reductions.empty()) return false;
    return std::any_of(group.begin(), group.end(), [](const Node* node) {
      const ir::Shape& to = node->result()->type.shape;
      if (node->op->family != ir::Family::elementwise || !ir::has_batch(to) ||
          kernel::counts_rows_last(to))
        return false;
      return std::any_of(node->operands.begin(), node->operands.end(), [](const Value* operand) {
        return kernel::counts_rows_last(kernel::base_of(operand)->type.shape);
      });
    });
  }

  // A placement stores its result and nothing of what leads to it.
  bool shows_parts(const kernel::GroupShape& shape, const Group& group) const {
    const std::set<const Node*> members(group.begin(), group.end());
    return shape.kind == kernel::GroupKind::place &&
           std::any_of(group.begin(), group.end(), [&](const Node* node) {
             return node != shape.placement && used_outside(node->result(), members);
           });
  }

  bool used_outside(const Value* value, const std::set<const Node*>& members) const {
    for (const ir::Output& output : graph_.outputs)
      if (output.value == value) return true;
    auto it = users_.find(value);
    if (it == users_.end()) return false;
    return std::any_of(it->second.begin(), it->second.end(), [&](const Node* user) {
      return is_duplicable(*user) ? used_outside(user->result(), members)
                                  : members.count(user) == 0;
    });
  }

  // What only a sum down columns reads (the squares under a variance) is computed where it is
  // summed. Merged with what it is made of it would be written out for the sum to read.
  void absorb_private() {
    for (size_t user = 0; user < groups_.size(); ++user) {
      const Node& sum = *groups_[user].front();
      if (sum.op->family != ir::Family::reduction) continue;
      if (kernel::analyse_group({&sum})->kind != kernel::GroupKind::column) continue;
      const Value* value = sum.operands[0];
      while (value->node && is_duplicable(*value->node) && !value->node->operands.empty())
        value = value->node->operands[0];
      const Node* producer = value->node;
      if (!producer || producer->op->family != ir::Family::elementwise) continue;
      if (!owner_.count(producer) || used_outside(value, {producer, &sum})) continue;
      try_merge(owner_.at(producer), static_cast<int>(user));
    }
  }

  // Whether the value is in memory whatever is fused: a product or something that moves it reads
  // it.
  bool is_stored(const Value* value, bool moved = false) const {
    for (const ir::Output& output : graph_.outputs)
      if (output.value == value) return true;
    auto it = users_.find(value);
    if (it == users_.end()) return false;
    return std::any_of(it->second.begin(), it->second.end(), [&](const Node* user) {
      if (is_duplicable(*user)) return is_stored(user->result(), true);
      return moved || user->op->family == ir::Family::contraction;
    });
  }

  // The only group that reads this one, if it does so element by element.
  std::optional<int> only_user(const Group& group) const {
    std::optional<int> only;
    for (const Node* node : group) {
      auto it = users_.find(node->result());
      for (const Node* user : it == users_.end() ? std::vector<Node*>{} : it->second) {
        if (std::count(group.begin(), group.end(), user)) continue;
        auto owner = owner_.find(user);
        if (owner == owner_.end() || (only && *only != owner->second)) return std::nullopt;
        only = owner->second;
      }
      for (const ir::Output& output : graph_.outputs)
        if (output.value == node->result()) return std::nullopt;
    }
    return only;
  }

  static bool is_cheap(const Group& group) {
    double cost = 0;
    for (const Node* node : group) {
      if (node->op->family != ir::Family::elementwise) return false;
      cost += node->op->cost;
    }
    return cost <= cheap_cost;
  }

  // Whether all that the group reads is stored by others in any case.
  bool reads_stored(const Group& group) const {
    const auto at_hand = [&](const Value* v) {
      if (!v->node || v->type.rank() < 2) return false;
      return std::count(group.begin(), group.end(), v->node) > 0 || is_stored(v);
    };
    return std::all_of(group.begin(), group.end(), [&](const Node* node) {
      return std::all_of(node->operands.begin(), node->operands.end(), [&](const Value* v) {
        return (v->node && v->node->op->uniform) || at_hand(v);
      });
    });
  }

  // What backward alone reads (1 - tanh², from a tanh that is stored anyway) is computed there: to
  // compute it where tanh comes from would only write one more value.
  void absorb_late() {
    for (size_t g = 0; g < groups_.size(); ++g) {
      while (!groups_[g].empty() && is_cheap(groups_[g]) && reads_stored(groups_[g])) {
        const auto user = only_user(groups_[g]);
        if (!user || !is_cheap(groups_[static_cast<size_t>(*user)])) break;
        if (!try_merge(static_cast<int>(g), *user)) break;
      }
    }
  }

  bool merge_once() {
    bool merged = false;
    for (size_t user = 0; user < groups_.size(); ++user) {
      if (groups_[user].empty()) continue;
      const std::set<int> inputs = inputs_[user];
      // The latest producer first: it is the one whose values are still in registers.
      for (auto it = inputs.rbegin(); it != inputs.rend(); ++it)
        if (try_merge(*it, static_cast<int>(user))) {
          merged = true;
          break;
        }
    }
    return merged;
  }

  // --- rebuilding ---

  std::vector<int> topological() const {
    std::vector<int> result;
    std::set<int> done;
    std::function<void(int)> visit = [&](int g) {
      if (!done.insert(g).second) return;
      for (int input : inputs_[static_cast<size_t>(g)]) visit(input);
      result.push_back(g);
    };
    for (size_t g = 0; g < groups_.size(); ++g)
      if (!groups_[g].empty()) visit(static_cast<int>(g));
    return result;
  }

  void rebuild();
  void add_group(Graph& to, const Group& group);
  Value* outside(Graph& to, const Value* value);
  Value* wrap(Graph& to, Value* value);

  Graph& graph_;
  const ir::Users users_;
  std::vector<Group> groups_;
  std::vector<std::set<int>> inputs_, readers_;  // groups that a group reads, that read it
  std::map<const Node*, int> owner_;
  std::map<const Node*, int> order_;
  std::map<std::pair<int, int>, size_t> refused_;  // nodes of two groups that were not merged
  std::map<const Value*, Value*> mapped_;          // old values to values of the new graph
  std::set<const Value*> needed_;                  // results read outside of their group
};

// Copies a node and what it depends on into a region; values from outside become its parameters.
class RegionBuilder {
 public:
  RegionBuilder(Graph& region, const std::set<const Node*>& members)
      : region_(region), members_(members) {}

  Value* use(const Value* value) {
    auto it = mapped_.find(value);
    if (it != mapped_.end()) return it->second;
    const Node* node = value->node;
    if (node && (members_.count(node) || is_duplicable(*node))) {
      clone(*node);
      return mapped_.at(value);
    }
    operands.push_back(value);
    Value* param = region_.add_param(ir::ParamKind::value, value->name, value->type);
    mapped_[value] = param;
    return param;
  }

  std::vector<const Value*> operands;  // bound to the parameters

 private:
  void clone(const Node& node) {
    std::vector<Value*> inputs;
    for (const Value* operand : node.operands) inputs.push_back(use(operand));
    Node* copy = region_.add(node.op, inputs, node.attributes, node.span);
    for (size_t i = 0; i < node.results.size(); ++i) {
      copy->results[i]->name = region_.unique_name(node.results[i]->name);
      mapped_[node.results[i].get()] = copy->results[i].get();
    }
  }

  Graph& region_;
  const std::set<const Node*>& members_;
  std::map<const Value*, Value*> mapped_;
};

Value* Fusion::outside(Graph& to, const Value* value) {
  auto it = mapped_.find(value);
  if (it != mapped_.end()) return it->second;
  internal_check(value->node != nullptr, "fuse: a value without producer");
  // A duplicable node that a state or an output needs by itself.
  auto region = std::make_unique<Graph>("region", graph_.batch);
  const std::set<const Node*> none;
  RegionBuilder builder(*region, none);
  region->add_output(value->name, builder.use(value));
  std::vector<Value*> operands;
  for (const Value* operand : builder.operands) operands.push_back(mapped_.at(operand));
  Node* node = to.add(ir::op("group"), operands, {}, value->node->span, std::move(region));
  node->result()->name = to.unique_name(value->name);
  return mapped_[value] = node->result();
}

// States and outputs are stored by the kernel that computes them: a parameter passed on as it is
// needs a group that copies it, and so does a value that is wanted twice.
Value* Fusion::wrap(Graph& to, Value* value) {
  auto region = std::make_unique<Graph>("region", graph_.batch);
  Value* param = region->add_param(ir::ParamKind::value, value->name, value->type);
  region->add_output(value->name, param);
  Node* node = to.add(ir::op("group"), {value}, {}, {}, std::move(region));
  node->result()->name = to.unique_name(value->name);
  return node->result();
}

void Fusion::add_group(Graph& to, const Group& group) {
  const std::set<const Node*> members(group.begin(), group.end());
  auto region = std::make_unique<Graph>("region", graph_.batch);
  RegionBuilder builder(*region, members);
  std::vector<const Value*> results;
  const Node* main = group.front();
  for (const Node* node : group) {
    for (const auto& result : node->results) {
      Value* inner = builder.use(result.get());
      if (!needed_.count(result.get())) continue;
      region->add_output(result->name, inner);
      results.push_back(result.get());
    }
    if (node->op->family != ir::Family::elementwise) main = node;
  }
  if (results.empty()) return;
  std::vector<Value*> operands;
  for (const Value* operand : builder.operands) operands.push_back(mapped_.at(operand));
  Node* node = to.add(ir::op("group"), operands, {}, main->span, std::move(region));
  for (size_t i = 0; i < results.size(); ++i) {
    node->results[i]->name = to.unique_name(results[i]->name);
    mapped_[results[i]] = node->results[i].get();
  }
}

// Whether every use of a region's parameter is by elementwise nodes at the same place.
bool read_in_place(const Graph& region, const Value* param) {
  for (const auto& node : region.nodes) {
    if (node->op->family == ir::Family::placement) return false;  // fills before it reads
    const bool uses = std::count(node->operands.begin(), node->operands.end(), param) > 0;
    if (!uses) continue;
    if (node->op->family != ir::Family::elementwise ||
        node->result()->type.shape != param->type.shape)
      return false;
    for (const auto& output : region.outputs)
      if (output.value->type.shape != param->type.shape) return false;
  }
  return true;
}

void Fusion::rebuild() {
  for (const auto& [node, group] : owner_)
    for (const auto& result : node->results) {
      const Group& members = groups_[static_cast<size_t>(group)];
      if (used_outside(result.get(), {members.begin(), members.end()}))
        needed_.insert(result.get());
    }

  Graph fused(graph_.name, graph_.batch);
  for (const auto& param : graph_.params)
    mapped_[param.value.get()] =
        fused.add_param(param.kind, param.value->name, param.value->type, param.external_name);
  for (int g : topological()) add_group(fused, groups_[static_cast<size_t>(g)]);

  // A state is overwritten in place, element by element: a group that reads the old value in any
  // other order writes its result elsewhere first.
  auto in_place = [](const Value* value, const Value* state) {
    if (!value->node->region) return true;
    for (size_t i = 0; i < value->node->operands.size(); ++i)
      if (value->node->operands[i] == state &&
          !read_in_place(*value->node->region, value->node->region->params[i].value.get()))
        return false;
    return true;
  };
  std::set<const Value*> stored;  // by an assign or as an output: each value at most once
  auto own = [&](const Value* value) {
    Value* v = outside(fused, value);
    if (!v->node || !stored.insert(v).second) v = wrap(fused, v);
    stored.insert(v);
    return v;
  };
  auto assign = [&](const Node& node, Value* value) {
    Value* state = mapped_.at(node.operands[0]);
    if (!in_place(value, state)) value = wrap(fused, value);
    fused.add(node.op, {state, value}, node.attributes, node.span);
  };
  for (const auto& node : graph_.nodes)
    if (node->op->family == ir::Family::state) assign(*node, own(node->operands[1]));
  for (const auto& output : graph_.outputs) fused.add_output(output.name, own(output.value));
  graph_ = std::move(fused);
}

}  // namespace

bool fuse(ir::Graph& graph) { return Fusion(graph).run(); }

}  // namespace nnc::passes
