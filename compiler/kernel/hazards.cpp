#include "compiler/kernel/hazards.h"

#include <algorithm>

#include "compiler/kernel/contraction_map.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::Dim;
using ir::Node;

std::map<const ir::Value*, const ir::Value*> assigned_states(const ir::Graph& graph) {
  std::map<const ir::Value*, const ir::Value*> states;
  for (const auto& node : graph.nodes)
    if (node->op->family == ir::Family::state) states[node->operands[1]] = node->operands[0];
  return states;
}

bool counts_rows(const ir::Graph& region) {
  return std::any_of(region.nodes.begin(), region.nodes.end(), [](const auto& node) {
    return node->op->family == ir::Family::generator && !node->op->uniform &&
           ir::has_batch(node->result()->type.shape);
  });
}

bool keeps_rows(const GroupFacts& group) {
  const auto& operands = group.node->operands;
  return group.slice.rows() && !group.per_thread && !counts_rows(*group.node->region) &&
         std::all_of(operands.begin(), operands.end(), [&](const ir::Value* operand) {
           return !ir::has_batch(operand->type.shape) || group.aligned.count(operand);
         });
}

bool updates_states(const ir::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const auto& node) { return node->op->family == ir::Family::state; });
}

namespace {

// The dimension that counts batch rows, or the rank.
size_t batch_dimension(const ir::Shape& shape) {
  return static_cast<size_t>(
      std::find_if(shape.begin(), shape.end(), [](const Dim& dim) { return dim.batch; }) -
      shape.begin());
}

// Whether thread ranges of the loop `dim` (stride `step` in the operand) are row ranges of `base`.
bool same_rows(const MapDim& dim, const Dim& step, const ir::Value& base) {
  if (counts_rows_last(base.type.shape)) return dim.extent == Dim{1, true} && step == Dim{1, false};
  if (!dim.extent.batch || base.type.shape.empty() || !base.type.shape[0].batch) return false;
  const Dim row = row_major(base.type.shape).strides[0];
  return !step.batch && !row.batch &&
         step.size * dim.extent.size == row.size * base.type.shape[0].size;
}

bool contraction_aligned(const Node& contract, const ir::Value* param) {
  const auto map = map_contraction(contract);
  const bool lanes = map->form == ContractionForm::lanes;
  const MapDim& dim = lanes ? map->n : map->outer.empty() ? map->m : map->outer[0];
  for (const MapDim& k : map->k)
    if (k.extent.batch) return false;
  if (map->a == param && !same_rows(dim, dim.a, *param)) return false;
  return map->b != param || same_rows(dim, dim.b, *param);
}

// Whether `value`, a movement of `param`, keeps rows in their places.
bool rows_stay(const ir::Value* value, const ir::Value* param) {
  const size_t rows = batch_dimension(param->type.shape);
  if (rows == param->type.shape.size()) return false;
  if (value == param) return true;
  const auto map = coordinate_map(value, param, rows);
  if (!map || map->offset != 0) return false;
  const size_t place = batch_dimension(value->type.shape);
  for (size_t i = 0; i < map->strides.size(); ++i)
    if (map->strides[i].size != (i == place ? 1 : 0)) return false;
  return true;
}

bool reads_own_rows(const ir::Graph& region, const ir::Value* param) {
  auto check = [&](const ir::Value* value) {
    return base_of(value) != param || rows_stay(value, param);
  };
  for (const auto& node : region.nodes) {
    if (node->op->family == ir::Family::movement) continue;
    if (node->op->family == ir::Family::contraction) {
      if (!contraction_aligned(*node, param)) return false;
      continue;
    }
    for (const ir::Value* operand : node->operands)
      if (!check(operand)) return false;
  }
  for (const auto& output : region.outputs)
    if (!check(output.value)) return false;
  return true;
}

OperandKind kind_of(const ir::Graph& graph, const ir::Value* value) {
  if (value->node) return OperandKind::memory;
  for (const ir::Param& param : graph.params) {
    if (param.value.get() != value) continue;
    if (param.kind == ir::ParamKind::input) return OperandKind::field;
    if (param.kind == ir::ParamKind::scalar) return OperandKind::scalar;
    return OperandKind::memory;
  }
  throw InternalError("internal error: an operand from another graph");
}

}  // namespace

namespace {

using States = std::map<const ir::Value*, const ir::Value*>;

GroupFacts facts_of_group(const ir::Graph& graph, const Node& group, const Target& target,
                          const States& states) {
  GroupFacts facts;
  facts.node = &group;
  for (const ir::Value* operand : group.operands) facts.operands.push_back(kind_of(graph, operand));
  facts.slice = slice_of({group, facts.operands, target, graph.batch, !states.empty()});
  for (size_t i = 0; i < group.operands.size(); ++i) {
    if (facts.operands[i] == OperandKind::scalar) continue;
    if (facts.operands[i] == OperandKind::memory) facts.reads.insert(group.operands[i]);
    if (facts.slice.rows() && reads_own_rows(*group.region, group.region->params[i].value.get()))
      facts.aligned.insert(group.operands[i]);
  }
  for (const auto& result : group.results) {
    auto it = states.find(result.get());
    if (it != states.end()) facts.writes.insert(it->second);
  }
  return facts;
}

// A batch that comes straight from the data set, and that only products by columns read.
bool is_gather(const GroupFacts& facts) {
  return facts.slice.rows() && facts.reads.empty() && facts.writes.empty() &&
         std::count(facts.operands.begin(), facts.operands.end(), OperandKind::field) > 0;
}

void find_per_thread(const ir::Graph& graph, std::vector<GroupFacts>& list) {
  std::set<const ir::Value*> shared;
  for (const ir::Output& output : graph.outputs) shared.insert(output.value);
  for (const GroupFacts& facts : list)
    if (!facts.slice.by_columns()) shared.insert(facts.reads.begin(), facts.reads.end());
  for (GroupFacts& facts : list) {
    if (!is_gather(facts)) continue;
    const auto& results = facts.node->results;
    facts.per_thread = std::none_of(results.begin(), results.end(), [&](const auto& result) {
      return shared.count(result.get()) > 0;
    });
  }
}

}  // namespace

std::vector<GroupFacts> facts_of(const ir::Graph& graph, const Target& target) {
  const States states = assigned_states(graph);
  std::vector<GroupFacts> list;
  for (const auto& node : graph.nodes)
    if (node->op->family != ir::Family::state)
      list.push_back(facts_of_group(graph, *node, target, states));
  find_per_thread(graph, list);
  return list;
}

bool Interval::needs_barrier(const GroupFacts& next) const {
  for (const ir::Value* value : next.reads) {
    auto it = written_.find(value);
    if (it == written_.end()) continue;
    const bool own = it->second.rows && next.aligned.count(value);
    const bool one_thread = it->second.single && next.slice.single();
    if (!own && !one_thread) return true;
  }
  for (const ir::Value* state : next.writes) {
    auto it = read_.find(state);
    if (it != read_.end() && !(it->second.single && next.slice.single())) return true;
  }
  return false;
}

void Interval::add(const GroupFacts& group) {
  if (group.per_thread) return;  // nothing that another thread could see
  for (const auto& result : group.node->results)
    written_[result.get()] = {group.slice.rows(), group.slice.single()};
  for (const ir::Value* value : group.reads) {
    auto [it, fresh] = read_.try_emplace(value, Access{false, group.slice.single()});
    if (!fresh) it->second.single = it->second.single && group.slice.single();
  }
}

void Interval::clear() {
  written_.clear();
  read_.clear();
}

}  // namespace nnc::kernel
