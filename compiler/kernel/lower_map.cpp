// Elementwise groups: loops over the space, vectors along its last dimension.
#include <algorithm>

#include "compiler/kernel/lower_group.h"
#include "compiler/kernel/transpose.h"

namespace nnc::kernel {

using ir::Dim;
using ir::Family;
using ir::Shape;

namespace {

// Whether elements may be counted without regard to their place: nothing in the group moves or
// looks at an index, so trailing dimensions (or all of them) are one long run.
bool place_free(const ir::Graph& region) {
  for (const auto& node : region.nodes) {
    const Family family = node->op->family;
    if (family == Family::movement) {
      if (base_of(node->result())->type.rank() > 0) return false;
    } else if (family == Family::generator) {
      if (!node->op->uniform) return false;
    }
  }
  return true;
}

bool reads_fields(const GroupContext& context) {
  for (OperandKind kind : context.operands)
    if (kind == OperandKind::field) return true;
  return false;
}

// The loops of a map group: its space with dimensions run together where that is allowed.
Shape loop_space(const GroupContext& context, const Shape& space) {
  const ir::Graph& region = *context.node.region;
  if (space.size() < 2 || counts_rows_last(space) || !place_free(region)) return space;
  for (const auto& param : region.params)
    if (param.value->type.rank() > 0 && param.value->type.shape != space) return space;
  if (!reads_fields(context)) return {ir::product(space)};
  Shape rest(space.begin() + 1, space.end());
  return {space[0], ir::product(rest)};
}

// An op of this cost (tanh, exp) is a chain of instructions that wait for each other.
constexpr double is_chain = 10;

// A vector of 16 lanes may be several of the machine's, which stand side by side already.
int64_t chains_at_once(const GroupContext& context) {
  const auto is_long = [](const auto& node) {
    return node->op->family == Family::elementwise && node->op->cost >= is_chain &&
           node->result()->type.rank() > 0;
  };
  const ir::Graph& region = *context.node.region;
  if (std::ranges::none_of(region.nodes, is_long)) return 1;
  const auto bytes = abi::size_of(region.outputs.front().value->type.dtype);
  const int lanes = std::max(context.target.lanes(static_cast<int>(bytes)), 1);
  return std::max<int64_t>(context.target.side_by_side() * lanes / logical_lanes, 1);
}

// So much of the data set is asked for ahead of being read; rows of a few lines come fast enough.
constexpr int64_t bytes_ahead = 4096, long_row = 256;

// Asks for the start of row `row` of a field, if there is one.
void fetch_row(KernelScope& s, const Buffer& field, int64_t bytes, Value row) {
  Builder& k = s.k;
  k.loop(row, k.min(k.add(row, k.i64(1)), s.end), k.i64(1), [&](Value i) {
    const Value number = k.convert(k.load({Scalar::i32, 1}, field.index, i), Scalar::i64);
    const Value first = k.mul(number, k.i64(bytes));
    const Value end = k.add(first, k.i64(std::min(bytes, bytes_ahead)));
    k.loop(first, end, k.i64(line), [&](Value at) { k.prefetch(field.pointer, at); });
  });
}

// A step reads rows that lie anywhere in the data set, where no hardware looks ahead.
void fetch_ahead(KernelScope& s, Value row) {
  if (!s.context.updates) return;
  for (size_t p = 0; p < s.region.params.size(); ++p) {
    if (s.context.operands[p] != OperandKind::field) continue;
    const ir::Value* param = s.region.params[p].value.get();
    const int64_t bytes =
        param->type.elements(1) * static_cast<int64_t>(abi::size_of(param->type.dtype));
    if (bytes < long_row) continue;
    const int64_t rows = std::max<int64_t>(bytes_ahead / bytes, 1);
    fetch_row(s, s.e.buffer(param), bytes, s.k.add(row, s.k.i64(rows)));
  }
}

}  // namespace

Slice map_slice(const GroupContext& context, const GroupShape& shape) {
  const Shape loops = loop_space(context, shape.space);
  if (loops.empty()) return {};
  if (counts_rows_last(loops)) return {loops.back(), 1};
  if (loops[0].batch) return {loops[0], 1};
  const bool tiles = loops.size() == 2 && is_transposed_copy(context, shape);
  return {loops[0], tiles || loops.size() == 1 ? logical_lanes : 1};
}

void lower_map(KernelScope& s) {
  const Shape loops = loop_space(s.context, s.shape.space);
  const int64_t at_once = chains_at_once(s.context);
  if (loops.empty()) return s.store_outputs(s.shape.space, {});
  auto inner = [&](const Coordinates& at, Value begin, Value end, int64_t fixed) {
    if (fixed == 1) {
      // A vector of one element would read what lies behind it, and wait for who writes there.
      Coordinates full = at;
      full.emplace_back();
      return s.store_outputs(s.shape.space, full);
    }
    vector_loop(
        s, begin, end, fixed,
        [&](const Coordinate& c) {
          Coordinates full = at;
          full.push_back(c);
          s.store_outputs(s.shape.space, full);
        },
        at_once);
  };
  if (loops.size() == 1) return inner({}, s.begin, s.end, -1);
  if (is_transposed_copy(s.context, s.shape)) s.begin = lower_transposed_tiles(s);
  if (!s.begin) return;
  if (counts_rows_last(loops)) {
    const Shape outer(loops.begin(), loops.end() - 1);
    return nest(s, outer, 0, {}, [&](const Coordinates& at) { inner(at, s.begin, s.end, -1); });
  }
  const Shape middle(loops.begin() + 1, loops.end() - 1);
  s.k.loop(s.begin, s.end, s.k.i64(1), [&](Value i) {
    s.e.open_scope();
    if (loops[0].batch) fetch_ahead(s, i);
    nest(s, middle, 0, {{i, 0, false}}, [&](const Coordinates& at) {
      const Dim& last = loops.back();
      inner(at, s.k.i64(0), s.e.extent(last), last.batch ? -1 : last.size);
    });
    s.e.close_scope();
  });
}

}  // namespace nnc::kernel
