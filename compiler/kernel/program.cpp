#include "compiler/kernel/program.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "compiler/kernel/stripes.h"
#include "compiler/support/diagnostics.h"
#include "runtime/abi.h"

namespace nnc::kernel {

namespace {

constexpr Type pointer_type{Scalar::ptr, 1};
constexpr Type index_type{Scalar::i64, 1};

// Rows are cut at multiples of this, so that full register tiles fit; many rows where vectors of
// them begin.
int64_t row_granule(int64_t batch) { return batch < 32 ? 8 : logical_lanes; }

class CoreWriter {
 public:
  CoreWriter(const Plan& plan, Function& function, int64_t batch, bool profile)
      : plan_(plan), k_(function), granule_(row_granule(batch)), profile_(profile) {
    state_ = k_.param("state", pointer_type);
    arena_ = k_.param("arena", pointer_type);
    for (size_t i = 0; i < plan.inputs.size(); ++i) {
      inputs_.push_back(k_.param("in_" + std::to_string(i), pointer_type));
      orders_.push_back(k_.param("idx_" + std::to_string(i), pointer_type));
    }
    for (size_t i = 0; i < plan.outputs.size(); ++i)
      outputs_.push_back(k_.param("out_" + std::to_string(i), pointer_type));
    scalars_ = k_.param("scalars", pointer_type);
    rows_ = k_.param("rows", index_type);
    thread_ = k_.param("thread", index_type);
    threads_ = k_.param("threads", index_type);
    barrier_ = k_.param("barrier_fn", pointer_type);
    barrier_state_ = k_.param("barrier_state", pointer_type);
    share(rows_, granule_, thread_, threads_, first_row_, last_row_);
    mark();
  }

  // The group with that number in the plan, and those that run together with it; the number of the
  // next one.
  size_t call_from(size_t number, const std::vector<LoweredGroup>& lowered) {
    for (const RowBlocks& blocks : plan_.blocks)
      if (blocks.has(number)) return call_blocks(blocks, lowered), blocks.behind;
    const auto by_stripes = [&](size_t g) {
      return plan_.groups[g].striped && lowered[g].slice.rows();
    };
    size_t behind = number + 1;
    if (!by_stripes(number)) return call(number, lowered[number]), behind;
    while (behind < lowered.size() && by_stripes(behind) && !plan_.groups[behind].barrier_before)
      ++behind;
    return call_stripes(number, behind, lowered), behind;
  }

 private:
  void call(size_t number, const LoweredGroup& lowered) {
    wait_before(number);
    call_shared(plan_.groups[number], lowered);
    mark();
  }

  // These groups for one block of the thread's rows after the other.
  void call_blocks(const RowBlocks& blocks, const std::vector<LoweredGroup>& lowered) {
    wait_before(blocks.first);
    k_.loop(first_row_, last_row_, k_.i64(blocks.rows), [&](Value row) {
      block_ = {row, k_.min(k_.i64(blocks.rows), k_.sub(last_row_, row))};
      call_in_block(blocks.first, blocks.behind, lowered, k_.i64(0), block_.rows);
    });
  }

  // Groups `first` … `behind` - 1 for the thread's rows, stripe by stripe: what they hand on to
  // each other is still in the second cache.
  void call_stripes(size_t first, size_t behind, const std::vector<LoweredGroup>& lowered) {
    wait_before(first);
    const Value rows = k_.i64(plan_.stripes.rows);
    k_.loop(k_.mul(k_.div(first_row_, rows), rows), last_row_, rows, [&](Value row) {
      block_ = {row, rows};
      const Value begin = k_.max(k_.sub(first_row_, row), k_.i64(0));
      const Value end = k_.min(k_.sub(last_row_, row), rows);
      call_in_block(first, behind, lowered, begin, end);
    });
  }

  void wait_before(size_t number) {
    if (!plan_.groups[number].barrier_before) return;
    k_.barrier(barrier_, barrier_state_, thread_);
    mark();  // what was spent waiting
  }

  // Rows begin … end - 1 of the block.
  void call_in_block(size_t first, size_t behind, const std::vector<LoweredGroup>& lowered,
                     Value begin, Value end) {
    for (size_t g = first; g < behind; ++g) {
      call_range(plan_.groups[g], lowered[g].function, row_range(lowered[g].slice, begin, end));
      mark();
    }
    block_ = {};
  }

  void mark() {
    if (!profile_) return;
    const Value number = k_.i64(++marks_ << profile_shift);
    k_.barrier(barrier_, barrier_state_, k_.binary(Op::bit_or, thread_, number));
  }

  void call_shared(const PlannedGroup& group, const LoweredGroup& lowered) {
    if (lowered.slice.single()) {
      k_.branch(k_.compare(Op::eq, thread_, k_.i64(0)), [&] {
        call_range(group, lowered.function, {k_.i64(0), k_.i64(lowered.slice.extent.size), {}, {}});
      });
      return;
    }
    const Range range = group.facts.per_thread ? row_range(lowered.slice, k_.i64(0), rows_)
                                               : thread_range(lowered.slice);
    k_.branch(k_.compare(Op::lt, range.begin, range.end),
              [&] { call_range(group, lowered.function, range); });
  }

  // What one call of a kernel covers.
  struct Range {
    Value begin, end, column_begin, column_end;
  };

  // Of this thread. Most groups are cut like another one.
  Range thread_range(const Slice& slice) {
    if (slice.rows()) return row_range(slice, first_row_, last_row_);
    const auto key = std::tuple(slice.extent.batch, slice.extent.size, slice.granule, slice.panels,
                                slice.panel_width);
    const auto [found, is_new] = ranges_.try_emplace(key);
    Range& range = found->second;
    if (!is_new) return range;
    if (slice.by_columns()) return range = grid_range(slice);
    share(k_.i64(slice.extent.size), slice.granule, thread_, threads_, range.begin, range.end);
    return range;
  }

  Range row_range(const Slice& slice, Value first, Value last) {
    const Value factor = k_.i64(slice.extent.size);
    return {k_.mul(first, factor), k_.mul(last, factor), {}, {}};
  }

  // Threads as a grid over columns and rows: as many shares of columns as divide both the panels
  // and the threads; the rest of the threads share the rows.
  Range grid_range(const Slice& slice) {
    Value shares = k_.i64(1);
    for (int64_t count = 2; count <= slice.panels; ++count) {
      if (slice.panels % count != 0) continue;
      const Value fits = k_.compare(Op::eq, k_.binary(Op::rem, threads_, k_.i64(count)), k_.i64(0));
      shares = k_.select(fits, k_.i64(count), shares);
    }
    const Value column = k_.binary(Op::rem, thread_, shares), row = k_.div(thread_, shares);
    const Value row_shares = k_.div(threads_, shares);
    const Value width = k_.div(k_.i64(slice.panels * slice.panel_width), shares);
    Range range;
    if (slice.extent.batch) {
      Value first, last;
      share(rows_, granule_, row, row_shares, first, last);
      range = row_range(slice, first, last);
    } else {
      share(k_.i64(slice.extent.size), slice.granule, row, row_shares, range.begin, range.end);
    }
    range.column_begin = k_.mul(column, width);
    range.column_end = k_.add(range.column_begin, width);
    return range;
  }

  // The part of [0, extent) of one of several shares: equal numbers of granules, the last one cut
  // short.
  void share(Value extent, int64_t granule, Value index, Value shares, Value& begin, Value& end) {
    const Value g = k_.i64(granule);
    const Value blocks = k_.div(k_.add(extent, k_.i64(granule - 1)), g);
    const Value each = k_.div(k_.add(blocks, k_.sub(shares, k_.i64(1))), shares);
    const Value start = k_.mul(k_.mul(index, each), g);
    begin = k_.min(start, extent);
    end = k_.min(k_.add(start, k_.mul(each, g)), extent);
  }

  void call_range(const PlannedGroup& group, const std::string& function, const Range& range) {
    std::vector<Value> arguments;
    for (const ir::Value* operand : group.facts.node->operands) {
      const Place& place = plan_.places.at(operand);
      arguments.push_back(address(operand));
      if (place.kind == Place::Kind::input)
        arguments.push_back(in_block(orders_[place.index], sizeof(int32_t)));
    }
    for (const auto& result : group.facts.node->results) arguments.push_back(address(result.get()));
    arguments.insert(arguments.end(), {range.begin, range.end, block_.rows ? block_.rows : rows_});
    if (range.column_begin)
      arguments.insert(arguments.end(), {range.column_begin, range.column_end});
    if (group.facts.slice.scratch_bytes > 0) arguments.push_back(own_memory(plan_.scratch_offset));
    k_.call(function, arguments);
  }

  // In this thread's part of the arena.
  Value own_memory(size_t offset) {
    const Value own = k_.mul(thread_, k_.i64(static_cast<int64_t>(plan_.thread_bytes)));
    const size_t first = plan_.arena_bytes + offset;
    return k_.offset(arena_, k_.add(own, k_.i64(static_cast<int64_t>(first))));
  }

  // What lies so many bytes for each row behind the pointer, where the block begins.
  Value in_block(Value pointer, size_t row_bytes) {
    if (!block_.first) return pointer;
    return k_.offset(pointer, k_.mul(block_.first, k_.i64(static_cast<int64_t>(row_bytes))));
  }

  // Memory of the thread holds one block; fields are found by the order of rows.
  Value address(const ir::Value* value) {
    const Place& place = plan_.places.at(value);
    if (place.kind == Place::Kind::stripe) return striped(*value, place.offset);
    const bool whole = place.kind == Place::Kind::arena || place.kind == Place::Kind::output;
    if (!whole || !ir::has_batch(value->type.shape)) return address(place);
    const auto elements = static_cast<size_t>(value->type.elements(1));
    return in_block(address(place), elements * abi::size_of(value->type.dtype));
  }

  // In the first stripe, or in that of the block.
  Value striped(const ir::Value& value, size_t offset) {
    const Value first = k_.offset(arena_, k_.i64(static_cast<int64_t>(offset)));
    if (!block_.first) return first;
    const Value number = k_.div(block_.first, k_.i64(plan_.stripes.rows));
    return k_.offset(first, place_of_stripe(k_, value, plan_.stripes, number));
  }

  Value address(const Place& place) {
    switch (place.kind) {
      case Place::Kind::arena: return k_.offset(arena_, k_.i64(static_cast<int64_t>(place.offset)));
      case Place::Kind::stripe: break;  // of a value: striped()
      case Place::Kind::thread: return own_memory(place.offset);
      case Place::Kind::state: return k_.offset(state_, k_.i64(static_cast<int64_t>(place.offset)));
      case Place::Kind::input: return inputs_[place.index];
      case Place::Kind::output: return outputs_[place.index];
      case Place::Kind::scalar:
        return k_.load({Scalar::f64, 1}, scalars_, k_.i64(static_cast<int64_t>(place.index)));
    }
    return {};
  }

  const Plan& plan_;
  Builder k_;
  Value state_, arena_, scalars_, rows_, thread_, threads_, barrier_, barrier_state_;
  std::vector<Value> inputs_, orders_, outputs_;
  Value first_row_, last_row_;
  struct {
    Value first, rows;
  } block_;  // of rows, while one is written
  // By the slice's extent, granule and panels.
  std::map<std::tuple<bool, int64_t, int64_t, int64_t, int64_t>, Range> ranges_;
  int64_t granule_;
  bool profile_;
  int64_t marks_ = 0;
};

// void entry(const abi::Context*, i64 thread): every member of the context is 8 bytes wide.
void write_entry(const Plan& plan, const std::string& core, Function& function) {
  function.exported = true;
  function.comment = "unpacks the context";
  Builder k(function);
  const Value context = k.param("context", pointer_type);
  const Value thread = k.param("thread", index_type);
  auto field = [&](abi::ContextField which, Type type) {
    return k.load(type, context, k.i64(static_cast<int64_t>(which)));
  };
  const Value inputs = field(abi::ContextField::inputs, pointer_type);
  const Value orders = field(abi::ContextField::indices, pointer_type);
  const Value outputs = field(abi::ContextField::outputs, pointer_type);
  std::vector<Value> arguments = {field(abi::ContextField::state, pointer_type),
                                  field(abi::ContextField::arena, pointer_type)};
  auto item = [&](Value list, size_t i) {
    return k.load(pointer_type, list, k.i64(static_cast<int64_t>(i)));
  };
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    arguments.push_back(item(inputs, i));
    arguments.push_back(item(orders, i));
  }
  for (size_t i = 0; i < plan.outputs.size(); ++i) arguments.push_back(item(outputs, i));
  arguments.push_back(field(abi::ContextField::scalars, pointer_type));
  arguments.push_back(field(abi::ContextField::rows, index_type));
  arguments.push_back(thread);
  arguments.push_back(field(abi::ContextField::threads, index_type));
  arguments.push_back(field(abi::ContextField::barrier, pointer_type));
  arguments.push_back(field(abi::ContextField::barrier_state, pointer_type));
  k.call(core, arguments);
}

std::string function_name(const std::string& program, size_t number, const ir::Node& group) {
  std::string name = program + "_" + std::to_string(number) + "_" + group.result()->name;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

double bytes_of(const ir::Value& value, int64_t batch) {
  return static_cast<double>(value.type.elements(batch)) *
         static_cast<double>(abi::size_of(value.type.dtype));
}

GroupSummary summary_of(const PlannedGroup& group, const LoweredGroup& lowered, int64_t batch) {
  const ir::Node& node = *group.facts.node;
  GroupSummary summary;
  summary.function = lowered.function;
  summary.schedule = lowered.schedule;
  summary.flops = flops_of(node, batch);
  summary.barrier = group.barrier_before;
  summary.shared = !lowered.slice.single();
  summary.line = node.span.line;
  for (const ir::Value* operand : node.operands) summary.bytes += bytes_of(*operand, batch);
  const ir::Value* largest = node.result();
  for (const auto& result : node.results) {
    summary.bytes += bytes_of(*result, batch);
    if (result->type.elements(batch) > largest->type.elements(batch)) largest = result.get();
  }
  summary.shape = ir::to_string(largest->type, batch);
  return summary;
}

// Where rows stand last, those of a block lie side by side in the memory of a thread.
bool any_rows_last(const ir::Node& group) {
  const auto last = [](const auto& value) { return counts_rows_last(value->type.shape); };
  return std::any_of(group.operands.begin(), group.operands.end(), last) ||
         std::any_of(group.results.begin(), group.results.end(), last);
}

// The functions of all groups.
std::vector<LoweredGroup> lower_groups(const ir::Graph& graph, const Target& target,
                                       LoweredProgram& program) {
  const bool updates = updates_states(graph);
  std::vector<LoweredGroup> list;
  for (const PlannedGroup& group : program.plan.groups) {
    const int64_t rows = rows_of_call(program.plan, list.size(), graph.batch);
    const bool block = rows != graph.batch;
    const bool layout = block && any_rows_last(*group.facts.node);
    const GroupContext context{*group.facts.node, group.facts.operands, target, rows, updates,
                               layout ? rows : 0, program.plan.stripes, block};
    const std::string name = function_name(program.module.name, list.size(), *group.facts.node);
    list.push_back(lower_group(context, name, program.module));
    if (block) list.back().schedule += ", blocks of " + std::to_string(rows);
  }
  return list;
}

}  // namespace

PlannedProgram plan_program(const ir::Graph& scheduled,
                            const std::map<std::string, size_t>& state_offsets,
                            const Target& target) {
  PlannedProgram planned;
  planned.entry = scheduled.name;
  for (char& c : planned.entry)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  planned.core = planned.entry + "_core";
  planned.plan = make_plan(scheduled, state_offsets, target);
  for (const PlannedGroup& group : planned.plan.groups)
    planned.flops += flops_of(*group.facts.node, scheduled.batch);
  return planned;
}

LoweredProgram lower_planned(const ir::Graph& scheduled, PlannedProgram planned,
                             const Target& target, bool profile) {
  LoweredProgram program{std::move(planned), {}, {}};
  program.module.name = program.entry;
  program.module.waited_for = updates_states(scheduled);
  auto core = std::make_unique<Function>();
  core->name = program.core;
  core->comment = "all groups in order, for one thread";
  CoreWriter writer(program.plan, *core, scheduled.batch, profile);
  const std::vector<LoweredGroup> lowered = lower_groups(scheduled, target, program);
  for (size_t g = 0; g < lowered.size();) g = writer.call_from(g, lowered);
  for (size_t g = 0; g < lowered.size(); ++g)
    program.groups.push_back(summary_of(program.plan.groups[g], lowered[g], scheduled.batch));
  program.module.functions.push_back(std::move(core));
  auto entry = std::make_unique<Function>();
  entry->name = program.entry;
  write_entry(program.plan, program.core, *entry);
  program.module.functions.push_back(std::move(entry));
  return program;
}

}  // namespace nnc::kernel
