#include "compiler/kernel/lower_group.h"

#include <algorithm>

#include "compiler/kernel/contraction_map.h"
#include "compiler/kernel/zero_borders.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

namespace {

constexpr Type pointer_type{Scalar::ptr, 1};
constexpr Type index_type{Scalar::i64, 1};

GroupShape shape_of(const ir::Node& group) {
  const auto nodes = compute_nodes(*group.region);
  if (nodes.empty()) {  // a copy
    GroupShape shape;
    shape.space = group.region->outputs.front().value->type.shape;
    return shape;
  }
  auto shape = analyse_group(nodes);
  internal_check(shape.has_value(), "a group that is no kernel: " + group.result()->name);
  return *shape;
}

std::string comment_of(const ir::Node& group) {
  std::string text;
  for (const auto& output : group.region->outputs) text += (text.empty() ? "" : ", ") + output.name;
  if (group.span.known()) text += "  line " + std::to_string(group.span.line);
  return text;
}

int64_t fixed_granule(const ir::Dim& dim, int64_t granule) { return dim.batch ? 1 : granule; }

}  // namespace

Slice slice_of(const GroupContext& context) {
  const GroupShape shape = shape_of(context.node);
  switch (shape.kind) {
    case GroupKind::map: return map_slice(context, shape);
    case GroupKind::contract: return contract_slice(context, shape);
    case GroupKind::row: return row_slice(context, shape);
    case GroupKind::column: {
      if (shape.result.empty()) return {};
      if (counts_rows_last(shape.result)) return {shape.result.back(), 1};
      const int64_t granule = shape.result.size() == 1 ? logical_lanes : 1;
      return {shape.result[0], fixed_granule(shape.result[0], granule)};
    }
    case GroupKind::place: return place_slice(shape);
  }
  return {};
}

void KernelScope::store_outputs(const ir::Shape& of, const Coordinates& at) {
  // All are computed before the first is stored: a stored state may be read by another output.
  std::vector<Value> codes(region.outputs.size());
  for (size_t i = 0; i < region.outputs.size(); ++i)
    if (region.outputs[i].value->type.shape == of) codes[i] = e.emit(region.outputs[i].value, at);
  for (size_t i = 0; i < region.outputs.size(); ++i)
    if (codes[i]) e.store(codes[i], region.outputs[i].value->type, outputs[i], at);
}

namespace {

// Parameters of the kernel for the region's parameters: a pointer, two for a field, a number.
std::vector<Buffer> add_inputs(const GroupContext& context, Builder& k) {
  std::vector<Buffer> inputs;
  const ir::Graph& region = *context.node.region;
  for (size_t i = 0; i < region.params.size(); ++i) {
    const std::string& label = region.params[i].value->name;
    Buffer buffer;
    if (context.operands[i] == OperandKind::scalar) {
      buffer.scalar = k.param(label, {Scalar::f64, 1});
    } else {
      buffer.pointer = k.param(label, pointer_type);
      if (context.operands[i] == OperandKind::field)
        buffer.index = k.param(label + "_rows", pointer_type);
    }
    inputs.push_back(buffer);
  }
  return inputs;
}

void write_loops(KernelScope& s, LoweredGroup& lowered) {
  switch (s.shape.kind) {
    case GroupKind::map:
      lower_map(s);
      lowered.schedule = "map";
      break;
    case GroupKind::row:
      lower_row(s);
      lowered.schedule = "rows";
      break;
    case GroupKind::column:
      lower_column(s);
      lowered.schedule = "columns";
      break;
    case GroupKind::place:
      lower_place(s);
      lowered.schedule = "place";
      break;
    case GroupKind::contract: lower_contract(s, lowered.schedule); break;
  }
}

}  // namespace

double flops_of(const ir::Node& group, int64_t batch) {
  const ir::Node* contract = shape_of(group).contract;
  if (!contract) return 0;
  const ContractionMap map = *map_contraction(*contract);
  const bool rows = map.form == ContractionForm::rows;
  return 2 * static_cast<double>(contract->result()->type.elements(batch)) *
         static_cast<double>(summed(map, batch)) *
         share_inside(rows ? zero_borders(group, map) : map.borders, map);
}

LoweredGroup lower_group(const GroupContext& context, const std::string& name, Module& module) {
  auto function = std::make_unique<Function>();
  function->name = name;
  function->comment = comment_of(context.node);
  Builder k(*function);
  const ir::Graph& region = *context.node.region;
  const std::vector<Buffer> inputs = add_inputs(context, k);
  std::vector<Buffer> outputs;
  for (const auto& output : region.outputs)
    outputs.push_back({k.param("out_" + output.name, pointer_type), {}, {}});
  const Value begin = k.param("begin", index_type);
  const Value end = k.param("end", index_type);
  const Value all_rows = k.param("rows", index_type);
  const Value rows = context.block > 0 ? k.i64(context.block) : all_rows;

  ElementEmitter e(k, logical_lanes, rows);
  for (size_t i = 0; i < inputs.size(); ++i) e.bind_buffer(region.params[i].value.get(), inputs[i]);
  LoweredGroup lowered;
  lowered.function = name;
  lowered.slice = slice_of(context);
  KernelScope s{context, region,  shape_of(context.node), k, e, outputs, begin, end, rows, {}, {},
                {},      all_rows};
  if (lowered.slice.by_columns()) {
    s.column_begin = k.param("column_begin", index_type);
    s.column_end = k.param("column_end", index_type);
  }
  if (lowered.slice.scratch_bytes > 0) s.scratch = k.param("scratch", pointer_type);
  write_loops(s, lowered);
  module.functions.push_back(std::move(function));
  return lowered;
}

Value first_lanes(Builder& k, int lanes, Value count) {
  const Type type{Scalar::i32, lanes};
  return k.compare(Op::lt, k.iota(type), k.splat(k.convert(count, Scalar::i32), lanes));
}

void nest(KernelScope& s, const ir::Shape& dims, size_t first, Coordinates at,
          const std::function<void(const Coordinates&)>& body) {
  if (first == dims.size()) return body(at);
  const ir::Dim& dim = dims[first];
  if (!dim.batch && dim.size == 1) {
    at.push_back({});
    return nest(s, dims, first + 1, at, body);
  }
  s.k.loop(s.k.i64(0), s.e.extent(dim), s.k.i64(1), [&](Value i) {
    s.e.open_scope();
    Coordinates inner = at;
    inner.push_back({i, 0, false});
    nest(s, dims, first + 1, inner, body);
    s.e.close_scope();
  });
}

namespace {

void masked(KernelScope& s, Value count, const std::function<void()>& body) {
  const Value outer = s.e.mask();
  s.e.set_mask(first_lanes(s.k, s.e.lanes(), count));
  s.e.open_scope();
  body();
  s.e.close_scope();
  s.e.set_mask(outer);
}

// From `begin` to `end`, which is moved behind the last group of `at_once`.
void full_vectors(KernelScope& s, Value& begin, Value end, int64_t at_once,
                  const std::function<void(const Coordinate&)>& body) {
  const int64_t lanes = s.e.lanes();
  const Value step = s.k.i64(at_once * lanes);
  const Value last =
      at_once == 1 ? end : s.k.sub(end, s.k.binary(Op::rem, s.k.sub(end, begin), step));
  s.k.loop(begin, last, step, [&](Value i) {
    s.e.open_scope();
    s.k.side_by_side(at_once, at_once, [&](int64_t v) { body({i, v * lanes, true}); });
    s.e.close_scope();
  });
  begin = last;
}

void full_vectors(KernelScope& s, Value begin, Value end, int64_t at_once, bool rest,
                  const std::function<void(const Coordinate&)>& body) {
  full_vectors(s, begin, end, at_once, body);
  if (rest && at_once > 1) full_vectors(s, begin, end, 1, body);
}

}  // namespace

void vector_loop(KernelScope& s, Value begin, Value end, int64_t fixed,
                 const std::function<void(const Coordinate&)>& body, int64_t at_once) {
  const int64_t lanes = s.e.lanes();
  if (fixed >= 0) {
    const int64_t full = fixed / lanes * lanes;
    if (full == lanes) {
      s.e.open_scope();
      body({{}, 0, true});
      s.e.close_scope();
    } else if (full > 0) {
      at_once = std::min(at_once, full / lanes);
      const bool rest = full % (at_once * lanes) != 0;
      full_vectors(s, s.k.i64(0), s.k.i64(full), at_once, rest, body);
    }
    if (fixed > full) masked(s, s.k.i64(fixed - full), [&] { body({{}, full, true}); });
    return;
  }
  const Value count = s.k.sub(end, begin);
  const Value full = s.k.binary(Op::bit_and, count, s.k.i64(-lanes));
  const Value middle = s.k.add(begin, full);
  full_vectors(s, begin, middle, at_once, true, body);
  s.k.branch(s.k.compare(Op::lt, middle, end), [&] {
    masked(s, s.k.sub(end, middle), [&] { body({middle, 0, true}); });
  });
}

}  // namespace nnc::kernel
