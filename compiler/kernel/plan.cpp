#include "compiler/kernel/plan.h"

#include <algorithm>

#include "compiler/kernel/arena.h"
#include "compiler/kernel/stripes.h"
#include "compiler/kernel/views.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

namespace {

constexpr size_t alignment = line;

class Planner {
 public:
  Planner(const ir::Graph& graph, const std::map<std::string, size_t>& offsets,
          const Target& target)
      : graph_(graph), offsets_(offsets), target_(target) {}

  Plan run() {
    place_params();
    place_results();
    place_barriers();
    place_stripes();
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
      }
      interval.add(group.facts);
      plan_.groups.push_back(std::move(group));
    }
  }

  void place_blocks() {
    const bool updates = updates_states(graph_);
    std::vector<GroupFacts> facts;
    std::vector<bool> striped;
    for (const PlannedGroup& group : plan_.groups) {
      facts.push_back(group.facts);
      striped.push_back(group.striped);
    }
    plan_.blocks = find_row_blocks(graph_, facts, barriers(), striped, target_);
    for (const RowBlocks& blocks : plan_.blocks)
      for (size_t g = blocks.first; g < blocks.behind; ++g) {
        GroupFacts& group = plan_.groups[g].facts;
        group.slice = slice_in_block(group, blocks.rows, updates);
      }
  }

  Slice slice_in_block(const GroupFacts& group, int64_t rows, bool updates) const {
    return slice_of({.node = *group.node,
                     .operands = group.operands,
                     .target = target_,
                     .batch = rows,
                     .updates = updates,
                     .in_block = true});
  }

  void place_stripes() {
    std::vector<GroupFacts> facts;
    for (const PlannedGroup& group : plan_.groups) facts.push_back(group.facts);
    plan_.stripes.rows = find_stripe_rows(graph_, facts);
    if (plan_.stripes.rows == 0) return;
    plan_.stripes.together = stripes_together(graph_.batch, plan_.stripes.rows);
    for (PlannedGroup& group : plan_.groups) {
      group.striped = touches_stripes(*group.facts.node);
      if (group.striped) group.facts.slice = slice_in_block(group.facts, plan_.stripes.rows, true);
    }
  }

  std::vector<bool> barriers() const {
    std::vector<bool> list;
    for (const PlannedGroup& group : plan_.groups) list.push_back(group.barrier_before);
    return list;
  }

  // Whether a group runs for a block of rows right after another one: nobody can wait there.
  std::vector<bool> inside_blocks() const {
    std::vector<bool> inside(plan_.groups.size(), false);
    for (const RowBlocks& blocks : plan_.blocks)
      for (size_t g = blocks.first + 1; g < blocks.behind; ++g) inside[g] = true;
    return inside;
  }

  void place_arena() {
    using Kind = Place::Kind;
    std::vector<Slot> shared = slots_of(Kind::arena), own = slots_of(Kind::thread);
    std::vector<Slot> striped = slots_of(Kind::stripe);
    std::vector<bool> barriers = this->barriers();
    const size_t groups = plan_.groups.size(), bands = band_count();
    std::vector<Slot> all = all_together(striped, bands);
    all.insert(all.end(), shared.begin(), shared.end());
    add_barriers_for_memory(all, inside_blocks(), barriers);
    const std::vector<size_t> live = live_sets(all, groups), own_live = live_sets(own, groups);
    for (size_t i = 0; i < groups; ++i) {
      plan_.groups[i].barrier_before = barriers[i];
      plan_.groups[i].live_bytes = live[i];
      plan_.groups[i].own_live_bytes = own_live[i];
    }
    const ArenaBytes bytes = lay_out(striped, bands, shared, barriers);
    plan_.stripes.bytes = bytes.stripe;
    // Vectors may be loaded past the end of the last value.
    plan_.arena_bytes = bytes.all + alignment;
    place(striped, Kind::stripe);
    place(shared, Kind::arena);
    // What a thread has for itself is free again as soon as this thread is done with it.
    const std::vector<bool> always(groups, true);
    if (!own.empty()) plan_.thread_bytes = lay_out(own, always) + alignment;
    place(own, Kind::thread);
    plan_.scratch_offset = plan_.thread_bytes;
    int64_t scratch = 0;
    for (const PlannedGroup& group : plan_.groups)
      scratch = std::max(scratch, group.facts.slice.scratch_bytes);
    plan_.thread_bytes += whole_lines(static_cast<size_t>(scratch));
    plan_.barriers = static_cast<int>(std::count(barriers.begin(), barriers.end(), true));
  }

  size_t band_count() const {
    const int64_t rows = plan_.stripes.rows * plan_.stripes.together;
    return rows == 0 ? 0 : static_cast<size_t>((graph_.batch + rows - 1) / rows);
  }

  // Whether threads share the value, or each thread or stripe has memory for it, and for how many
  // rows.
  Place::Kind room_of(const PlannedGroup& group, const ir::Value* value, int64_t& rows) const {
    for (const RowBlocks& blocks : plan_.blocks)
      if (blocks.inner.count(value)) {
        rows = blocks.rows;
        return Place::Kind::thread;
      }
    if (plan_.stripes.rows > 0 && counts_rows_last(value->type.shape)) {
      rows = plan_.stripes.rows;
      return Place::Kind::stripe;
    }
    rows = graph_.batch;
    return group.facts.per_thread ? Place::Kind::thread : Place::Kind::arena;
  }

  // The values that need room of this kind.
  std::vector<Slot> slots_of(Place::Kind kind) {
    std::map<const ir::Value*, Slot> slots;
    for (size_t now = 0; now < plan_.groups.size(); ++now) {
      const PlannedGroup& group = plan_.groups[now];
      for (const auto& result : group.facts.node->results) {
        int64_t rows = 0;
        if (plan_.places.count(result.get()) || room_of(group, result.get(), rows) != kind)
          continue;
        Slot& slot = slots[result.get()] = slot_of(*result, rows, now);
        if (kind == Place::Kind::stripe) slot.bytes *= static_cast<size_t>(plan_.stripes.together);
      }
      for (const ir::Value* operand : group.facts.node->operands)
        if (auto it = slots.find(operand); it != slots.end()) it->second.last = now;
    }
    std::vector<Slot> list;
    for (const auto& [value, slot] : slots) list.push_back(slot);
    return list;
  }

  Slot slot_of(const ir::Value& value, int64_t rows, size_t now) {
    const size_t size = abi::size_of(value.type.dtype);
    Slot slot{&value, bytes_of_rows(value, rows), now, now, alignment, 0};
    // Where the rows stand last, a thread's rows are at the same places between two multiples of
    // this: lines of memory that one value after the other uses stay with their core.
    const size_t run = static_cast<size_t>(rows) * size;
    if (counts_rows_last(value.type.shape) && run % alignment == 0) slot.alignment = run;
    return slot;
  }

  void place(const std::vector<Slot>& slots, Place::Kind kind) {
    for (const Slot& slot : slots) plan_.places[slot.value] = {kind, slot.offset, 0};
  }

  const ir::Graph& graph_;
  const std::map<std::string, size_t>& offsets_;
  const Target& target_;
  Plan plan_;
};

}  // namespace

int64_t rows_of_call(const Plan& plan, size_t group, int64_t batch) {
  for (const RowBlocks& blocks : plan.blocks)
    if (blocks.has(group)) return blocks.rows;
  return plan.groups[group].striped ? plan.stripes.rows : batch;
}

Plan make_plan(const ir::Graph& graph, const std::map<std::string, size_t>& state_offsets,
               const Target& target) {
  return Planner(graph, state_offsets, target).run();
}

size_t arena_bytes(const Plan& plan, int threads) {
  return plan.arena_bytes + static_cast<size_t>(threads) * plan.thread_bytes;
}

size_t live_bytes(const Plan& plan, int threads) {
  size_t largest = 0;
  for (const PlannedGroup& group : plan.groups)
    largest =
        std::max(largest, group.live_bytes + static_cast<size_t>(threads) * group.own_live_bytes);
  return largest + alignment;
}

}  // namespace nnc::kernel
