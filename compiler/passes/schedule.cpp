// The order of groups. A state is written in place, so its writer comes after every other reader
// of the old value; among the groups that are ready, one that needs no barrier goes first, and
// groups that threads share by rows before others, so that few barriers remain. What is computed
// for one reader only waits until that reader's other operands are there: backward would otherwise
// find in memory what forward has made for it too early.
#include <algorithm>
#include <map>
#include <set>

#include "compiler/ir/op.h"
#include "compiler/kernel/hazards.h"
#include "compiler/passes/pass.h"
#include "compiler/support/diagnostics.h"

namespace nnc::passes {

using ir::Graph;
using ir::Node;

namespace {

class Scheduler {
 public:
  explicit Scheduler(Graph& graph) : graph_(graph) {}

  bool run() {
    facts_ = kernel::facts_of(graph_, kernel::Target{});
    find_dependencies();
    const std::vector<size_t> order = choose();
    std::vector<const Node*> before;
    for (const auto& node : graph_.nodes) before.push_back(node.get());
    apply(order);
    return !std::equal(before.begin(), before.end(), graph_.nodes.begin(),
                       [](const Node* old, const auto& now) { return old == now.get(); });
  }

 private:
  void find_dependencies() {
    before_.resize(facts_.size());
    std::map<const ir::Value*, size_t> producer;
    for (size_t i = 0; i < facts_.size(); ++i)
      for (const auto& result : facts_[i].node->results) producer[result.get()] = i;
    for (size_t i = 0; i < facts_.size(); ++i) {
      for (const ir::Value* operand : facts_[i].node->operands)
        if (auto it = producer.find(operand); it != producer.end()) {
          before_[i].insert(it->second);
          readers_[it->second].insert(i);
        }
      for (const ir::Value* state : facts_[i].writes)
        for (size_t j = 0; j < facts_.size(); ++j)
          if (j != i && facts_[j].reads.count(state)) before_[i].insert(j);
    }
    for (size_t i = 0; i < facts_.size(); ++i)
      if (is_cheap(i)) postpone(i);
  }

  // Elements of batch rows, made of others without sums or products.
  bool is_cheap(size_t group) const {
    const auto& nodes = facts_[group].node->region->nodes;
    const auto& results = facts_[group].node->results;
    return std::all_of(results.begin(), results.end(),
                       [](const auto& v) { return ir::has_batch(v->type.shape); }) &&
           std::none_of(nodes.begin(), nodes.end(), [](const auto& node) {
             return node->op->family == ir::Family::contraction ||
                    node->op->family == ir::Family::reduction;
           });
  }

  // Behind what else its only reader needs, where that does not need it in turn.
  void postpone(size_t group) {
    if (readers_[group].size() != 1) return;
    for (size_t other : before_[*readers_[group].begin()])
      if (other != group && made_of_rows(other) && !comes_after(other, group))
        before_[group].insert(other);
  }

  bool made_of_rows(size_t group) const {
    return ir::has_batch(facts_[group].node->result()->type.shape);
  }

  bool comes_after(size_t group, size_t first) const {
    std::set<size_t> seen{group};
    std::vector<size_t> next{group};
    while (!next.empty()) {
      const size_t now = next.back();
      next.pop_back();
      if (now == first) return true;
      for (size_t i : before_[now])
        if (seen.insert(i).second) next.push_back(i);
    }
    return false;
  }

  std::vector<size_t> choose() {
    std::vector<size_t> order;
    std::set<size_t> waiting;
    for (size_t i = 0; i < facts_.size(); ++i) waiting.insert(i);
    kernel::Interval interval;
    while (!waiting.empty()) {
      size_t best = facts_.size();
      int best_rank = 3;
      for (size_t i : waiting) {
        const bool ready = std::none_of(before_[i].begin(), before_[i].end(),
                                        [&](size_t j) { return waiting.count(j) > 0; });
        if (!ready) continue;
        const int rank =
            (interval.needs_barrier(facts_[i]) ? 2 : 0) + (facts_[i].slice.rows() ? 0 : 1);
        if (rank < best_rank || best == facts_.size()) {
          best = i;
          best_rank = rank;
        }
      }
      internal_check(best < facts_.size(), "no order of the groups respects the states");
      if (interval.needs_barrier(facts_[best])) interval.clear();
      interval.add(facts_[best]);
      waiting.erase(best);
      order.push_back(best);
    }
    return order;
  }

  void apply(const std::vector<size_t>& order) {
    std::vector<std::unique_ptr<Node>> groups, assigns;
    for (auto& node : graph_.nodes)
      (node->op->family == ir::Family::state ? assigns : groups).push_back(std::move(node));
    graph_.nodes.clear();
    for (size_t i : order) graph_.nodes.push_back(std::move(groups[i]));
    for (auto& node : assigns) graph_.nodes.push_back(std::move(node));
  }

  Graph& graph_;
  std::vector<kernel::GroupFacts> facts_;
  std::vector<std::set<size_t>> before_;
  std::map<size_t, std::set<size_t>> readers_;
};

}  // namespace

bool schedule(ir::Graph& graph) { return Scheduler(graph).run(); }

}  // namespace nnc::passes
