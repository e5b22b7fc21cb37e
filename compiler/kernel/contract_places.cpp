#include "compiler/kernel/contract_places.h"

#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::Dim;

Value operand_pointer(KernelScope& s, const ir::Value* base) {
  size_t slot = 0;
  for (size_t i = 0; i < s.region.params.size(); ++i) {
    if (s.region.params[i].value.get() == base) return s.k.function().body.params[slot];
    slot += s.context.operands[i] == OperandKind::field ? 2 : 1;
  }
  throw InternalError("internal error: a contraction reads a value of its own group");
}

Value scaled(KernelScope& s, Value i, const Dim& stride) {
  if (stride.size == 0) return s.k.i64(0);
  if (!stride.batch && stride.size == 1) return i;
  return s.k.mul(i, s.e.extent(stride));
}

namespace {

// A loop over rows of the result: where it stands, how far it runs, by how much it moves there.
struct RowLoop {
  RowAt at;
  Dim extent, step;
};

std::vector<RowLoop> row_loops(const ContractionMap& map, const std::vector<Value>& outer,
                               const RowAt& row) {
  std::vector<RowLoop> loops;
  for (size_t d = 0; d < outer.size(); ++d)
    loops.push_back({{{outer[d], 0, false}}, map.outer[d].extent, map.outer[d].c});
  loops.push_back({row, map.m.extent, map.m.c});
  return loops;
}

// Position = quotient·size + remainder. Neighbouring rows of a tile share their divisions, or need
// none, where the tile begins at a multiple of the size, or cannot reach over one.
struct Divided {
  RowAt quotient;
  Coordinate remainder;
};

Divided divided(KernelScope& s, const RowAt& at, const Dim& by) {
  const auto& [base, offset, lane] = at.m;
  const bool known = !by.batch && base;
  if (known && at.multiple % by.size == 0)
    return {{{s.k.div(base, s.k.i64(by.size)), offset / by.size, false}, at.multiple / by.size},
            {{}, offset % by.size, false}};
  if (known && by.size % at.multiple == 0 && offset < at.multiple) {
    const Value size = s.k.i64(by.size);
    return {{{s.k.div(base, size), 0, false}}, {s.k.binary(Op::rem, base, size), offset, false}};
  }
  const Value position = s.e.scalar_coordinate(at.m), size = s.e.extent(by);
  return {{{s.k.div(position, size), 0, false}}, {s.k.binary(Op::rem, position, size), 0, false}};
}

// The coordinates of a position among the dimensions from `first` to before `behind`.
void spread(KernelScope& s, size_t first, size_t behind, RowAt at, Coordinates& result) {
  std::vector<size_t> dims;
  for (size_t d = first; d < behind; ++d)
    if (s.shape.space[d] != Dim{}) dims.push_back(d);
  if (dims.empty()) return;
  for (size_t i = dims.size(); i-- > 1;) {
    const Divided parts = divided(s, at, s.shape.space[dims[i]]);
    result[dims[i]] = parts.remainder;
    at = parts.quotient;
  }
  result[dims.front()] = at.m;
}

Dim elements_behind(const ir::Shape& space, size_t d) {
  return ir::product({space.begin() + static_cast<std::ptrdiff_t>(d), space.end()});
}

// Nothing if some loop is not one over neighbouring dimensions, the outermost loop over the first.
bool by_loops(KernelScope& s, const std::vector<RowLoop>& loops, size_t split,
              Coordinates& result) {
  const ir::Shape& space = s.shape.space;
  size_t d = 0;
  for (const RowLoop& loop : loops) {
    const size_t first = d;
    for (Dim covered; covered != loop.extent; ++d) {
      if (d == split || (covered.batch && space[d].batch)) return false;
      covered = ir::product({covered, space[d]});
    }
    if (loop.extent == Dim{}) continue;
    if (loop.step != elements_behind(space, d)) return false;
    spread(s, first, d, loop.at, result);
  }
  return elements_behind(space, d) == elements_behind(space, split);
}

// By the row-major position, in rows of n.
void by_position(KernelScope& s, const ContractionMap& map, const std::vector<RowLoop>& loops,
                 size_t split, Coordinates& result) {
  Value position = s.k.i64(0);
  for (const RowLoop& loop : loops)
    if (loop.step.size)
      position = s.k.add(position, scaled(s, s.e.scalar_coordinate(loop.at.m), loop.step));
  if (map.n.extent.size > 1) position = s.k.div(position, s.k.i64(map.n.extent.size));
  spread(s, 0, split, {{position, 0, false}}, result);
}

}  // namespace

Coordinates result_coordinates(KernelScope& s, const ContractionMap& map,
                               const std::vector<Value>& outer, const RowAt& row,
                               const Coordinate& n) {
  const ir::Shape& space = s.shape.space;
  if (map.outer.empty() && space.size() == 1)
    return space[0] == map.n.extent ? Coordinates{n} : Coordinates{row.m};
  // The columns are the last dimension that is not 1, if there is more than one.
  size_t split = space.size();
  const int64_t columns = map.n.extent.size;
  while (columns > 1 && space[--split] == Dim{}) {
  }
  internal_check(columns == 1 || space[split] == map.n.extent,
                 "columns of a contraction that are not its last dimension");
  const std::vector<RowLoop> loops = row_loops(map, outer, row);
  Coordinates result(space.size());
  if (!by_loops(s, loops, split, result)) {
    result.assign(space.size(), {});
    by_position(s, map, loops, split, result);
  }
  if (split < space.size()) result[split] = n;
  return result;
}

}  // namespace nnc::kernel
