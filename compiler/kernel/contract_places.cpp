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

Coordinates divided(KernelScope& s, const ContractionMap& map, Value outer, const Coordinate& m,
                    const Coordinate& n) {
  const ir::Shape& space = s.shape.space;
  // The columns are the last dimension that is not 1, if there is more than one.
  size_t split = space.size();
  const int64_t columns = map.n.extent.size;
  while (columns > 1 && space[--split] == Dim{}) {
  }
  internal_check(columns == 1 || space[split] == map.n.extent,
                 "columns of a contraction that are not its last dimension");
  // Row-major position of (outer, m, 0), in rows of n.
  Value position = scaled(s, s.e.scalar_coordinate(m), map.m.c);
  if (outer) position = s.k.add(outer, position);
  if (columns > 1) position = s.k.div(position, s.k.i64(columns));
  Coordinates result(space.size());
  for (size_t d = split; d-- > 0;) {
    if (!space[d].batch && space[d].size == 1) continue;
    if (d == 0) {
      result[d] = {position, 0, false};
      break;
    }
    const Value size = s.e.extent(space[d]);
    result[d] = {s.k.binary(Op::rem, position, size), 0, false};
    position = s.k.div(position, size);
  }
  if (split < space.size()) result[split] = n;
  return result;
}

}  // namespace

Coordinates result_coordinates(KernelScope& s, const ContractionMap& map, Value outer,
                               const Coordinate& m, const Coordinate& n) {
  const ir::Shape& space = s.shape.space;
  const bool plain = map.outer.empty();
  if (plain && space.size() == 2 && space[0] == map.m.extent && space[1] == map.n.extent)
    return {m, n};
  if (plain && space.size() == 1) return space[0] == map.n.extent ? Coordinates{n} : Coordinates{m};
  return divided(s, map, outer, m, n);
}

}  // namespace nnc::kernel
