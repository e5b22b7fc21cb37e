#include "compiler/kernel/plan.h"

#include <algorithm>

#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

namespace {

constexpr size_t alignment = 64;
size_t aligned(size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

// A value in the arena, alive from barrier interval `first` to `last`, both included; in memory of
// a thread, from one group to another.
struct Slot {
  const ir::Value* value = nullptr;
  size_t bytes = 0;
  int first = 0, last = 0;
  size_t offset = 0;
};

bool overlap(const Slot& a, const Slot& b) { return a.first <= b.last && b.first <= a.last; }

// Greedy by size: the largest first, each at the lowest offset where nothing alive at the same
// time lies. Slots are reused across barriers only.
size_t offsets_of(std::vector<Slot>& slots) {
  std::sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.value->name < b.value->name;
  });
  size_t total = 0;
  for (size_t i = 0; i < slots.size(); ++i) {
    std::vector<const Slot*> others;
    for (size_t j = 0; j < i; ++j)
      if (overlap(slots[i], slots[j])) others.push_back(&slots[j]);
    std::sort(others.begin(), others.end(),
              [](const Slot* a, const Slot* b) { return a->offset < b->offset; });
    size_t offset = 0;
    for (const Slot* other : others) {
      if (offset + slots[i].bytes <= other->offset) break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    slots[i].offset = offset;
    total = std::max(total, offset + slots[i].bytes);
  }
  return total;
}

size_t largest_live_set(const std::vector<Slot>& slots, int intervals) {
  size_t largest = 0;
  for (int now = 0; now <= intervals; ++now) {
    size_t bytes = 0;
    for (const Slot& slot : slots)
      if (slot.first <= now && now <= slot.last) bytes += slot.bytes;
    largest = std::max(largest, bytes);
  }
  return largest;
}

class Planner {
 public:
  Planner(const ir::Graph& graph, const std::map<std::string, size_t>& offsets,
          const Target& target)
      : graph_(graph), offsets_(offsets), target_(target) {}

  Plan run() {
    place_params();
    place_results();
    place_barriers();
    place_blocks();
    place_arena();
    return std::move(plan_);
  }

 private:
  void place_params() {
    for (const ir::Param& param : graph_.params) {
      const ir::Value* value = param.value.get();
      if (param.kind == ir::ParamKind::state) {
        auto it = offsets_.find(param.external_name);
        internal_check(it != offsets_.end(), "no room for state " + param.external_name);
        plan_.places[value] = {Place::Kind::state, it->second, 0};
        plan_.states.push_back(param.external_name);
      } else if (param.kind == ir::ParamKind::scalar) {
        plan_.places[value] = {Place::Kind::scalar, 0, plan_.scalars.size()};
        plan_.scalars.push_back(param.external_name);
      } else {
        plan_.places[value] = {Place::Kind::input, 0, plan_.inputs.size()};
        plan_.inputs.push_back(param.external_name);
      }
    }
  }

  void place_results() {
    for (const auto& [value, state] : assigned_states(graph_))
      plan_.places[value] = plan_.places.at(state);
    for (const ir::Output& output : graph_.outputs) {
      plan_.places[output.value] = {Place::Kind::output, 0, plan_.outputs.size()};
      plan_.outputs.push_back(output.name);
    }
  }

  void place_barriers() {
    Interval interval;
    for (GroupFacts& facts : facts_of(graph_, target_)) {
      PlannedGroup group{std::move(facts), false};
      if (interval.needs_barrier(group.facts)) {
        group.barrier_before = true;
        interval.clear();
        ++plan_.barriers;
      }
      interval.add(group.facts);
      interval_of_[group.facts.node] = plan_.barriers;
      plan_.groups.push_back(std::move(group));
    }
  }

  void place_blocks() {
    std::vector<GroupFacts> facts;
    std::vector<bool> barriers;
    for (const PlannedGroup& group : plan_.groups) {
      facts.push_back(group.facts);
      barriers.push_back(group.barrier_before);
    }
    plan_.blocks = find_row_blocks(graph_, facts, barriers, target_);
    for (const RowBlocks& blocks : plan_.blocks)
      for (size_t g = blocks.first; g < blocks.behind; ++g) {
        GroupFacts& group = plan_.groups[g].facts;
        group.slice = slice_of({*group.node, group.operands, target_, blocks.rows});
      }
  }

  void place_arena() {
    const std::vector<Slot> shared = slots_of(false), own = slots_of(true);
    // Vectors may be loaded past the end of the last value.
    plan_.arena_bytes = lay_out(shared, Place::Kind::arena) + alignment;
    if (!own.empty()) plan_.thread_bytes = lay_out(own, Place::Kind::thread) + alignment;
    plan_.scratch_offset = plan_.thread_bytes;
    int64_t scratch = 0;
    for (const PlannedGroup& group : plan_.groups)
      scratch = std::max(scratch, group.facts.slice.scratch_bytes);
    plan_.thread_bytes += aligned(static_cast<size_t>(scratch));
    plan_.live_bytes = largest_live_set(shared, plan_.barriers) +
                       largest_live_set(own, static_cast<int>(plan_.groups.size()));
  }

  // Whether each thread has memory of its own for the value, and for how many rows.
  bool is_own(const PlannedGroup& group, const ir::Value* value, int64_t& rows) const {
    for (const RowBlocks& blocks : plan_.blocks)
      if (blocks.inner.count(value)) {
        rows = blocks.rows;
        return true;
      }
    rows = graph_.batch;
    return group.facts.per_thread;
  }

  // The values that need room: those that threads share, or those of which each has its own. A
  // thread knows its own order, so that its slots are free after the last group that reads them.
  std::vector<Slot> slots_of(bool own) {
    std::map<const ir::Value*, Slot> slots;
    for (size_t g = 0; g < plan_.groups.size(); ++g) {
      const PlannedGroup& group = plan_.groups[g];
      const int now = own ? static_cast<int>(g) : interval_of_.at(group.facts.node);
      for (const auto& result : group.facts.node->results) {
        int64_t rows = 0;
        if (plan_.places.count(result.get()) || is_own(group, result.get(), rows) != own) continue;
        const auto elements = static_cast<size_t>(result->type.elements(rows));
        slots[result.get()] = {result.get(), aligned(elements * abi::size_of(result->type.dtype)),
                               now, now, 0};
      }
      for (const ir::Value* operand : group.facts.node->operands)
        if (auto it = slots.find(operand); it != slots.end())
          it->second.last = std::max(it->second.last, now);
    }
    std::vector<Slot> list;
    for (const auto& [value, slot] : slots) list.push_back(slot);
    return list;
  }

  size_t lay_out(std::vector<Slot> list, Place::Kind kind) {
    const size_t bytes = offsets_of(list);
    for (const Slot& slot : list) plan_.places[slot.value] = {kind, slot.offset, 0};
    return bytes;
  }

  const ir::Graph& graph_;
  const std::map<std::string, size_t>& offsets_;
  const Target& target_;
  Plan plan_;
  std::map<const ir::Node*, int> interval_of_;
};

}  // namespace

int64_t rows_of_call(const Plan& plan, size_t group, int64_t batch) {
  for (const RowBlocks& blocks : plan.blocks)
    if (blocks.has(group)) return blocks.rows;
  return batch;
}

Plan make_plan(const ir::Graph& graph, const std::map<std::string, size_t>& state_offsets,
               const Target& target) {
  return Planner(graph, state_offsets, target).run();
}

}  // namespace nnc::kernel
