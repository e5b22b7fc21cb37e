#include "compiler/kernel/contract_places.h"

#include <algorithm>

#include "compiler/kernel/views.h"
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

Dim elements_behind(const ir::Shape& space, size_t d) {
  return ir::product({space.begin() + static_cast<std::ptrdiff_t>(d), space.end()});
}

// Whether a step along one of these dimensions moves as far as all of the next one.
bool continue_each_other(const std::vector<Dim>& strides, const ir::Shape& space,
                         const std::vector<size_t>& dims) {
  for (size_t i = 1; i < dims.size(); ++i) {
    const Dim &outer = strides[dims[i - 1]], &inner = strides[dims[i]], &extent = space[dims[i]];
    if (outer.size == 0 && inner.size == 0) continue;
    if (inner.batch && extent.batch) return false;
    if (outer != ir::product({inner, extent})) return false;
  }
  return true;
}

// Of what is computed behind the sums: reads by places in memory that continue each other.
class Reads {
 public:
  Reads(const KernelScope& s, const std::vector<size_t>& dims) : s_(s), dims_(dims) {}

  bool all_by_position() const {
    const ir::Value* sums = s_.shape.contract->result();
    for (const ir::Output& output : s_.region.outputs)
      if (output.value != sums && !is_made_here(output.value)) return false;
    return std::ranges::all_of(s_.region.nodes, [&](const auto& node) {
      return node.get() == s_.shape.contract || !is_made_here(node->result()) ||
             std::ranges::all_of(node->operands, [&](const ir::Value* operand) {
               return operand == sums || is_made_here(operand) || by_position(operand);
             });
    });
  }

 private:
  bool is_made_here(const ir::Value* value) const {
    return value->node && value->node->op->family == ir::Family::elementwise &&
           value->type.shape == s_.shape.space;
  }

  bool by_position(const ir::Value* value) const {
    const ir::Value* base = base_of(value);
    if (base->node) return base->node->op->uniform || base->type.rank() == 0;
    const auto view = view_in_base(value);
    return view && lies_in_order(base) && continue_each_other(view->strides, s_.shape.space, dims_);
  }

  // Rows of a field are looked up, and rows that come last may lie in stripes.
  bool lies_in_order(const ir::Value* param) const {
    for (size_t i = 0; i < s_.region.params.size(); ++i)
      if (s_.region.params[i].value.get() == param)
        return s_.context.operands[i] != OperandKind::field && !counts_rows_last(param->type.shape);
    return false;
  }

  const KernelScope& s_;
  const std::vector<size_t>& dims_;
};

}  // namespace

ResultPlaces::ResultPlaces(KernelScope& s, const ContractionMap& map) : s_(s), map_(map) {
  // The columns are the last dimension that is not 1, if there is more than one.
  const ir::Shape& space = s.shape.space;
  const int64_t columns = map.n.extent.size;
  split_ = space.size();
  while (columns > 1 && space[--split_] == Dim{}) {
  }
  internal_check(columns == 1 || space[split_] == map.n.extent,
                 "columns of a contraction that are not its last dimension");
  if (find_runs()) return;
  runs_ = {run_of(0, split_)};
  by_loops_ = false;
}

ResultPlaces::Run ResultPlaces::run_of(size_t first, size_t behind) const {
  Run run;
  for (size_t d = first; d < behind; ++d)
    if (s_.shape.space[d] != Dim{}) run.dims.push_back(d);
  run.together = run.dims.size() > 1 && Reads(s_, run.dims).all_by_position();
  return run;
}

// False if some loop is not one over neighbouring dimensions, the outermost loop over the first.
bool ResultPlaces::find_runs() {
  const ir::Shape& space = s_.shape.space;
  std::vector<const MapDim*> loops;
  for (const MapDim& dim : map_.outer) loops.push_back(&dim);
  loops.push_back(&map_.m);
  size_t d = 0;
  for (const MapDim* loop : loops) {
    const size_t first = d;
    for (Dim covered; covered != loop->extent; ++d) {
      if (d == split_ || (covered.batch && space[d].batch)) return false;
      covered = ir::product({covered, space[d]});
    }
    if (loop->extent != Dim{} && loop->c != elements_behind(space, d)) return false;
    runs_.push_back(run_of(first, d));
  }
  return elements_behind(space, d) == elements_behind(space, split_);
}

void ResultPlaces::spread(const Run& run, RowAt at, Coordinates& result) const {
  if (run.dims.empty()) return;
  if (run.together) {
    result[run.dims.back()] = at.m;
    return;
  }
  for (size_t i = run.dims.size(); i-- > 1;) {
    const Divided parts = divided(s_, at, s_.shape.space[run.dims[i]]);
    result[run.dims[i]] = parts.remainder;
    at = parts.quotient;
  }
  result[run.dims.front()] = at.m;
}

Coordinates ResultPlaces::at(Coordinates row, const Coordinate& n) const {
  if (split_ < row.size()) row[split_] = n;
  return row;
}

Coordinates ResultPlaces::row(const std::vector<Value>& outer, const RowAt& row) const {
  Coordinates result(s_.shape.space.size());
  if (by_loops_) {
    for (size_t d = 0; d < outer.size(); ++d) spread(runs_[d], {{outer[d], 0, false}}, result);
    spread(runs_.back(), row, result);
    return result;
  }
  Value position = scaled(s_, s_.e.scalar_coordinate(row.m), map_.m.c);
  for (size_t d = 0; d < outer.size(); ++d)
    position = s_.k.add(position, scaled(s_, outer[d], map_.outer[d].c));
  if (map_.n.extent.size > 1) position = s_.k.div(position, s_.k.i64(map_.n.extent.size));
  spread(runs_.front(), {{position, 0, false}}, result);
  return result;
}

}  // namespace nnc::kernel
