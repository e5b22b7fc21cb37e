// Reductions along rows: 16 logical lanes fold every 16th element, then one fixed tree folds the
// lanes, so the order of a sum depends on its length alone.
#include "compiler/kernel/lower_reduce.h"

#include <algorithm>

#include "compiler/kernel/chains.h"
#include "compiler/kernel/narrow_rows.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::Dim;
using ir::Node;
using ir::Shape;

Value combine(KernelScope& s, const Node& reduction, Value accumulator, Value element) {
  ir::LowerContext context{s.k, reduction, accumulator.type.scalar, accumulator.type.lanes};
  return reduction.op->lower(context, {accumulator, element});
}

Value identity(KernelScope& s, const Node& reduction, int lanes) {
  const Type type{scalar_of(reduction.result()->type.dtype), lanes};
  if (type.is_float()) return s.k.constant(type, reduction.op->identity);
  // The smallest and largest integers stand for the infinities.
  const double limit = type.scalar == Scalar::i32 ? 2147483647.0 : 9007199254740992.0;
  return s.k.constant_int(
      type, static_cast<int64_t>(std::clamp(reduction.op->identity, -limit - 1, limit)));
}

int Levels::of(const ir::Value* value) {
  if (!value->node) return 0;
  auto it = known_.find(value);
  if (it != known_.end()) return it->second;
  int result = 0;
  for (const ir::Value* operand : value->node->operands) result = std::max(result, of(operand));
  if (value->node->op->family == ir::Family::reduction) ++result;
  return known_[value] = result;
}

namespace {

// Rows of up to this many vectors are kept in registers between the passes over them.
constexpr int64_t straight_vectors = 4;

Value fold_lanes(KernelScope& s, const Node& reduction, Value lanes) {
  for (int half = lanes.type.lanes / 2; half > 1; half /= 2) {
    std::vector<int> low, high;
    for (int i = 0; i < half; ++i) {
      low.push_back(i);
      high.push_back(i + half);
    }
    const Value a = s.k.shuffle(lanes, lanes, low);
    const Value b = s.k.shuffle(lanes, lanes, high);
    lanes = combine(s, reduction, a, b);
  }
  return combine(s, reduction, s.k.extract(lanes, 0), s.k.extract(lanes, 1));
}

class RowLowering {
 public:
  explicit RowLowering(KernelScope& s) : s_(s) {
    const size_t kept = s.shape.space.size() - s.shape.axes.size();
    row_.assign(s.shape.space.begin() + static_cast<long>(kept), s.shape.space.end());
    kept_.assign(s.shape.space.begin(), s.shape.space.begin() + static_cast<long>(kept));
    for (const Node* r : s.shape.reductions) levels_ = std::max(levels_, level_.of(r->result()));
    // Straight-line code is for one known row; how many rows the batch has is known at run time.
    const bool one_row = std::all_of(row_.begin(), row_.end() - 1,
                                     [](const Dim& dim) { return !dim.batch && dim.size == 1; });
    straight_ =
        one_row && !row_.back().batch && row_.back().size <= straight_vectors * logical_lanes;
    std::vector<Dim> loops(row_.begin(), row_.end() - 1);
    const int64_t last = row_.back().extent(s.context.batch);
    loops.push_back({(last + logical_lanes - 1) / logical_lanes, false});
    chains_ = chains_of(loops, s.context.batch, longest_fold, longest_fold);
  }

  void run() {
    if (kept_.empty()) return row({});
    const Shape inner(kept_.begin() + 1, kept_.end());
    s_.k.loop(s_.begin, s_.end, s_.k.i64(1), [&](Value i) {
      s_.e.open_scope();
      nest(s_, inner, 0, {{i, 0, false}}, [&](const Coordinates& at) { row(at); });
      s_.e.close_scope();
    });
  }

 private:
  void row(const Coordinates& at) {
    s_.e.open_scope();
    for (int now = 1; now <= levels_; ++now) reduce_level(at, now);
    const bool full_output =
        std::any_of(s_.region.outputs.begin(), s_.region.outputs.end(),
                    [&](const ir::Output& o) { return o.value->type.shape == s_.shape.space; });
    if (full_output)
      over_row(at, [&](const Coordinates& full) { s_.store_outputs(s_.shape.space, full); });
    store_row_values(at);
    s_.e.close_scope();
  }

  // Calls body for every vector of the row; straight-line for short rows, so that what one pass
  // computed is still at hand in the next.
  void over_row(const Coordinates& at, const std::function<void(const Coordinates&)>& body) {
    const Shape outer(row_.begin(), row_.end() - 1);
    const Dim& last = row_.back();
    if (!straight_) {
      nest(s_, outer, 0, at, [&](const Coordinates& inner) {
        vector_loop(s_, s_.k.i64(0), s_.e.extent(last), last.batch ? -1 : last.size,
                    [&](const Coordinate& c) {
                      Coordinates full = inner;
                      full.push_back(c);
                      body(full);
                    });
      });
      return;
    }
    Coordinates full = at;
    full.resize(at.size() + outer.size());
    full.emplace_back();
    for (int64_t start = 0; start < last.size; start += logical_lanes) {
      full.back() = {{}, start, true};
      const bool partial = start + logical_lanes > last.size;
      if (partial && !tail_mask_)
        tail_mask_ = first_lanes(s_.k, logical_lanes, s_.k.i64(last.size - start));
      s_.e.set_mask(partial ? tail_mask_ : Value{});
      body(full);
      s_.e.set_mask({});
    }
  }

  void reduce_level(const Coordinates& at, int now) {
    std::vector<const Node*> together;
    for (const Node* r : s_.shape.reductions)
      if (level_.of(r->result()) == now) together.push_back(r);
    std::vector<Value> sums = identities(together);
    if (straight_) {
      over_row(at, [&](const Coordinates& full) { accumulate(together, full, sums); });
    } else {
      sums = loop_row(at, together, sums);
    }
    for (size_t i = 0; i < together.size(); ++i)
      s_.e.bind(together[i]->result(), fold_lanes(s_, *together[i], sums[i]));
  }

  void accumulate(const std::vector<const Node*>& together, const Coordinates& full,
                  std::vector<Value>& sums) {
    for (size_t i = 0; i < together.size(); ++i) {
      Value x = s_.e.emit_vector(together[i]->operands[0], full);
      if (s_.e.mask()) x = s_.k.select(s_.e.mask(), x, identity(s_, *together[i], logical_lanes));
      sums[i] = combine(s_, *together[i], sums[i], x);
    }
  }

  using Together = std::vector<const Node*>;

  // Accumulators are carried through the loops over the row.
  std::vector<Value> loop_row(const Coordinates& at, const Together& together,
                              std::vector<Value> sums) {
    if (!chains_.several()) return loop_outer(at, together, std::move(sums));
    const ChainTotals totals(s_, together);
    return totals.values(loop_chains(at, 0, together, totals, totals.start(logical_lanes)));
  }

  std::vector<Value> loop_chains(const Coordinates& at, size_t d, const Together& together,
                                 const ChainTotals& totals, std::vector<Value> carried) {
    if (d + 1 == row_.size()) return last_chains(at, together, totals, std::move(carried));
    const Value extent = s_.e.extent(row_[d]), step = s_.k.i64(chains_.steps);
    if (d < chains_.loop)
      return each(at, s_.k.i64(0), extent, carried, [&](const Coordinates& inner, auto now) {
        return loop_chains(inner, d + 1, together, totals, std::move(now));
      });
    return s_.k.loop(
        s_.k.i64(0), extent, step, carried, [&](Value first, const std::vector<Value>& now) {
          const Value end = s_.k.min(extent, s_.k.add(first, step));
          const auto chain =
              each(at, first, end, identities(together), [&](const Coordinates& inner, auto sums) {
                return loop_outer(inner, together, std::move(sums));
              });
          return totals.plus(now, chain);
        });
  }

  // Chains of vectors of the last dimension; what is no whole vector is a chain of its own.
  std::vector<Value> last_chains(const Coordinates& at, const Together& together,
                                 const ChainTotals& totals, std::vector<Value> carried) {
    const Value full = whole_vectors(), step = s_.k.i64(chains_.steps * logical_lanes);
    carried = s_.k.loop(
        s_.k.i64(0), full, step, carried, [&](Value first, const std::vector<Value>& now) {
          const Value end = s_.k.min(full, s_.k.add(first, step));
          return totals.plus(now, vectors(at, first, end, together, identities(together)));
        });
    if (ends_with_vector()) return carried;
    return totals.plus(carried, tail(at, full, together, identities(together)));
  }

  using Body = std::function<std::vector<Value>(const Coordinates&, std::vector<Value>)>;

  // Steps lo … hi-1 of the next dimension of the row.
  std::vector<Value> each(const Coordinates& at, Value lo, Value hi,
                          const std::vector<Value>& start, const Body& body) {
    return s_.k.loop(lo, hi, s_.k.i64(1), start, [&](Value i, const std::vector<Value>& carried) {
      s_.e.open_scope();
      Coordinates inner = at;
      inner.push_back({i, 0, false});
      auto result = body(inner, carried);
      s_.e.close_scope();
      return result;
    });
  }

  // One chain, over the dimensions of the row that `at` leaves.
  std::vector<Value> loop_outer(const Coordinates& at, const Together& together,
                                std::vector<Value> sums) {
    const size_t d = at.size() - kept_.size();
    if (d + 1 < row_.size())
      return each(at, s_.k.i64(0), s_.e.extent(row_[d]), sums,
                  [&](const Coordinates& inner, auto carried) {
                    return loop_outer(inner, together, std::move(carried));
                  });
    const Value full = whole_vectors();
    sums = vectors(at, s_.k.i64(0), full, together, std::move(sums));
    return ends_with_vector() ? sums : tail(at, full, together, std::move(sums));
  }

  Value whole_vectors() {
    return s_.k.binary(Op::bit_and, s_.e.extent(row_.back()), s_.k.i64(-logical_lanes));
  }

  bool ends_with_vector() const {
    return !row_.back().batch && row_.back().size % logical_lanes == 0;
  }

  std::vector<Value> vectors(const Coordinates& at, Value begin, Value end,
                             const Together& together, const std::vector<Value>& sums) {
    return s_.k.loop(begin, end, s_.k.i64(logical_lanes), sums,
                     [&](Value i, const std::vector<Value>& carried) {
                       return one_vector(at, {i, 0, true}, together, carried);
                     });
  }

  // The rest, masked (with no lane at all if the row happens to end here).
  std::vector<Value> tail(const Coordinates& at, Value full, const Together& together,
                          std::vector<Value> sums) {
    const Value left = s_.k.sub(s_.e.extent(row_.back()), full);
    s_.e.set_mask(first_lanes(s_.k, logical_lanes, left));
    sums = one_vector(at, {full, 0, true}, together, std::move(sums));
    s_.e.set_mask({});
    return sums;
  }

  std::vector<Value> one_vector(const Coordinates& at, const Coordinate& c,
                                const Together& together, std::vector<Value> sums) {
    s_.e.open_scope();
    Coordinates inner = at;
    inner.push_back(c);
    accumulate(together, inner, sums);
    s_.e.close_scope();
    return sums;
  }

  std::vector<Value> identities(const Together& together) {
    std::vector<Value> values;
    for (const Node* r : together) values.push_back(identity(s_, *r, logical_lanes));
    return values;
  }

  // Values of one number per row: their shape is that of the kept dimensions, up to ones. All are
  // computed before the first is stored, as in KernelScope::store_outputs.
  void store_row_values(const Coordinates& at) {
    std::vector<std::function<void()>> stores;
    for (size_t i = 0; i < s_.region.outputs.size(); ++i) {
      const ir::Value* value = s_.region.outputs[i].value;
      if (value->type.shape == s_.shape.space) continue;
      Coordinates own;
      size_t next = 0;
      for (const Dim& dim : value->type.shape) {
        if (!dim.batch && dim.size == 1) {
          own.emplace_back();
          continue;
        }
        while (next < kept_.size() && !kept_[next].batch && kept_[next].size == 1) ++next;
        own.push_back(at[next++]);
      }
      const Value code = s_.e.emit(value, own);
      stores.push_back([=, this] { s_.e.store(code, value->type, s_.outputs[i], own); });
    }
    for (const auto& store : stores) store();
  }

  KernelScope& s_;
  Shape kept_, row_;
  int levels_ = 0;
  bool straight_ = false;
  Chains chains_;  // loops of the row, the last one counting vectors
  Value tail_mask_;
  Levels level_;
};

}  // namespace

Slice row_slice(const GroupContext& context, const GroupShape& shape) {
  if (shape.result.empty()) return {};
  Slice slice{shape.result[0], 1};
  if (are_narrow_rows(context, shape)) slice.scratch_bytes = narrow_scratch_bytes(context, shape);
  return slice;
}

void lower_row(KernelScope& s) {
  if (are_narrow_rows(s.context, s.shape)) return lower_narrow_rows(s);
  RowLowering(s).run();
}

}  // namespace nnc::kernel
