// Reductions down columns: serial chains per element of the result, row-major over the axes.
#include <algorithm>

#include "compiler/kernel/chains.h"
#include "compiler/kernel/lower_reduce.h"
#include "compiler/kernel/views.h"

namespace nnc::kernel {

using ir::Dim;
using ir::Node;
using ir::Shape;

namespace {

// Columns of so few elements (windows of pooling) are folded without a loop.
constexpr int64_t short_column = 16;

// Vectors of columns that are folded side by side: one chain alone waits for its own last addition,
// and reads a part of each line. Groups of more nodes than these take fewer, to be compiled as
// soon, unless the batch is last: then elements of a column lie far apart.
constexpr int64_t most_vectors = 4, few_nodes = 10, many_nodes = 24;

class ColumnLowering {
 public:
  explicit ColumnLowering(KernelScope& s) : s_(s) {
    for (int64_t i = 0; i < static_cast<int64_t>(s.shape.space.size()); ++i)
      if (std::count(s.shape.axes.begin(), s.shape.axes.end(), i) == 0) kept_.push_back(i);
    for (int64_t axis : s.shape.axes) axes_.push_back(s.shape.space[static_cast<size_t>(axis)]);
    chains_ = chains_of(axes_, s.context.batch, longest_fold, longest_fold);
    const size_t nodes = s.region.nodes.size();
    if (counts_rows_last(s.shape.result)) {
      most_ = std::clamp<int64_t>(s.context.batch / s.e.lanes(), 1, most_vectors);
    } else if (nodes > few_nodes) {
      most_ = nodes <= many_nodes ? most_vectors / 2 : 1;
    }
  }

  void run() {
    const Shape& result = s_.shape.result;
    const Shape outer(result.begin(), result.end() - 1);
    const Dim& last = result.back();
    if (outer.empty()) return vectors({}, s_.begin, s_.end, -1);
    if (counts_rows_last(result))
      return nest(s_, outer, 0, {},
                  [&](const Coordinates& at) { vectors(at, s_.begin, s_.end, -1); });
    const Shape middle(outer.begin() + 1, outer.end());
    s_.k.loop(s_.begin, s_.end, s_.k.i64(1), [&](Value i) {
      s_.e.open_scope();
      nest(s_, middle, 0, {{i, 0, false}}, [&](const Coordinates& at) {
        vectors(at, s_.k.i64(0), s_.e.extent(last), last.batch ? -1 : last.size);
      });
      s_.e.close_scope();
    });
  }

 private:
  // Columns [begin, end) of the last dimension (`fixed` >= 0: so many), the others being `at`.
  void vectors(const Coordinates& at, Value begin, Value end, int64_t fixed) {
    if (fixed >= 0) return fixed_vectors(at, fixed);
    const int64_t wide = most_ * s_.e.lanes();
    if (most_ > 1) {
      const Value rest = s_.k.binary(Op::rem, s_.k.sub(end, begin), s_.k.i64(wide));
      const Value middle = s_.k.sub(end, rest);
      wide_loop(at, begin, middle);
      begin = middle;
    }
    vector_loop(s_, begin, end, -1, [&](const Coordinate& c) { column(place(at, c), 1); });
  }

  void fixed_vectors(const Coordinates& at, int64_t count) {
    const int64_t lanes = s_.e.lanes(), wide = most_ * lanes;
    const int64_t middle = count / wide * wide, full = count / lanes * lanes;
    const auto straight = [&](int64_t first, int64_t vectors) {
      s_.e.open_scope();
      column(place(at, {{}, first, true}), vectors);
      s_.e.close_scope();
    };
    if (middle > wide) {
      wide_loop(at, s_.k.i64(0), s_.k.i64(middle));
    } else if (middle > 0) {
      straight(0, most_);
    }
    if (full > middle) straight(middle, (full - middle) / lanes);
    if (count == full) return;
    const Value outer = s_.e.mask();
    s_.e.set_mask(first_lanes(s_.k, s_.e.lanes(), s_.k.i64(count - full)));
    straight(full, 1);
    s_.e.set_mask(outer);
  }

  void wide_loop(const Coordinates& at, Value begin, Value end) {
    s_.k.loop(begin, end, s_.k.i64(most_ * s_.e.lanes()), [&](Value i) {
      s_.e.open_scope();
      column(place(at, {i, 0, true}), most_);
      s_.e.close_scope();
    });
  }

  static Coordinates place(Coordinates at, const Coordinate& last) {
    at.push_back(last);
    return at;
  }

  // `vectors` of columns, one behind the other in the last dimension.
  void column(const Coordinates& own, int64_t vectors) {
    Coordinates full(s_.shape.space.size());
    for (size_t i = 0; i < kept_.size(); ++i) full[static_cast<size_t>(kept_[i])] = own[i];
    vectors_ = vectors;
    const std::vector<Value> sums = folded(full);
    size_t next = 0;
    for (int64_t v = 0; v < vectors; ++v) {
      s_.e.open_scope();
      for (const Node* r : s_.shape.reductions) s_.e.bind(r->result(), sums[next++]);
      s_.store_outputs(s_.shape.result, shifted(own, last_of(own), v));
      s_.e.close_scope();
    }
  }

  // The place so many vectors further on along dimension d.
  Coordinates shifted(Coordinates at, int64_t d, int64_t vector) {
    at[static_cast<size_t>(d)].offset += vector * s_.e.lanes();
    return at;
  }

  static int64_t last_of(const Coordinates& at) { return static_cast<int64_t>(at.size()) - 1; }

  std::vector<Value> folded(const Coordinates& at) {
    if (!chains_.several()) return fold(at, 0, identities());
    std::vector<const Node*> accumulators;
    for (int64_t v = 0; v < vectors_; ++v)
      accumulators.insert(accumulators.end(), s_.shape.reductions.begin(),
                          s_.shape.reductions.end());
    const ChainTotals totals(s_, accumulators);
    return totals.values(fold_chains(at, 0, totals, totals.start(s_.e.lanes())));
  }

  std::vector<Value> fold_chains(const Coordinates& at, size_t d, const ChainTotals& totals,
                                 const std::vector<Value>& carried) {
    const Value extent = s_.e.extent(axes_[d]);
    if (d < chains_.loop)
      return each_row(at, d, s_.k.i64(0), extent, carried, [&](const Coordinates& inner, auto now) {
        return fold_chains(inner, d + 1, totals, now);
      });
    const Value step = s_.k.i64(chains_.steps);
    return s_.k.loop(s_.k.i64(0), extent, step, carried,
                     [&](Value first, const std::vector<Value>& now) {
                       const Value end = s_.k.min(extent, s_.k.add(first, step));
                       return totals.plus(now, fold_range(at, d, first, end, identities()));
                     });
  }

  // One chain, over the axes from d on.
  std::vector<Value> fold(const Coordinates& at, size_t d, const std::vector<Value>& sums) {
    if (d == axes_.size()) return fold_element(at, sums);
    if (is_short(d)) return fold_straight(at, d, axes_[d].size, sums);
    return fold_range(at, d, s_.k.i64(0), s_.e.extent(axes_[d]), sums);
  }

  std::vector<Value> fold_element(const Coordinates& at, const std::vector<Value>& sums) {
    std::vector<Value> next;
    for (int64_t v = 0; v < vectors_; ++v) {
      const Coordinates own = shifted(at, kept_.back(), v);
      for (const Node* r : s_.shape.reductions)
        next.push_back(combine(s_, *r, sums[next.size()], s_.e.emit_vector(r->operands[0], own)));
      if (s_.shape.space != s_.shape.result) s_.store_outputs(s_.shape.space, own);
    }
    return next;
  }

  bool is_short(size_t d) const {
    const Dim elements = ir::product(Shape(axes_.begin() + static_cast<long>(d), axes_.end()));
    return !elements.batch && elements.size <= short_column;
  }

  std::vector<Value> fold_straight(Coordinates at, size_t d, int64_t extent,
                                   std::vector<Value> sums) {
    for (int64_t i = 0; i < extent; ++i) {
      at[static_cast<size_t>(s_.shape.axes[d])] = {{}, i, false};
      sums = fold(at, d + 1, sums);
    }
    return sums;
  }

  // Rows lo … hi-1 of reduced axis d, in increasing order.
  std::vector<Value> fold_range(const Coordinates& at, size_t d, Value lo, Value hi,
                                const std::vector<Value>& sums) {
    return each_row(at, d, lo, hi, sums, [&](const Coordinates& inner, const auto& carried) {
      return fold(inner, d + 1, carried);
    });
  }

  using RowBody = std::function<std::vector<Value>(const Coordinates&, const std::vector<Value>&)>;

  std::vector<Value> each_row(const Coordinates& at, size_t d, Value lo, Value hi,
                              const std::vector<Value>& start, const RowBody& body) {
    const auto axis = static_cast<size_t>(s_.shape.axes[d]);
    return s_.k.loop(lo, hi, s_.k.i64(1), start, [&](Value i, const std::vector<Value>& carried) {
      s_.e.open_scope();
      Coordinates inner = at;
      inner[axis] = {i, 0, false};
      auto result = body(inner, carried);
      s_.e.close_scope();
      return result;
    });
  }

  std::vector<Value> identities() {
    std::vector<Value> values;
    for (int64_t v = 0; v < vectors_; ++v)
      for (const Node* r : s_.shape.reductions) values.push_back(identity(s_, *r, s_.e.lanes()));
    return values;
  }

  KernelScope& s_;
  std::vector<int64_t> kept_;
  Shape axes_;  // extents of the reduced axes
  Chains chains_;
  int64_t most_ = most_vectors;  // that may be folded together
  int64_t vectors_ = 1;          // of columns that are
};

}  // namespace

void lower_column(KernelScope& s) { ColumnLowering(s).run(); }

}  // namespace nnc::kernel
