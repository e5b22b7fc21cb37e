// Reductions down columns: blocks of rows, each a serial chain per element of the result, added up
// in order.
#include <algorithm>

#include "compiler/kernel/lower_reduce.h"

namespace nnc::kernel {

using ir::Dim;
using ir::Node;
using ir::Shape;

namespace {

// Rows of a column that are folded in one chain.
constexpr int64_t column_block = 128;

// Vectors of columns that are folded side by side: one chain alone waits for its own last addition.
// Groups of more nodes than these take fewer, to be compiled as soon.
constexpr int64_t most_vectors = 4, few_nodes = 10, many_nodes = 24;

class ColumnLowering {
 public:
  explicit ColumnLowering(KernelScope& s) : s_(s) {
    for (int64_t i = 0; i < static_cast<int64_t>(s.shape.space.size()); ++i)
      if (std::count(s.shape.axes.begin(), s.shape.axes.end(), i) == 0) kept_.push_back(i);
    const size_t nodes = s.region.nodes.size();
    vectors_ = nodes <= few_nodes ? most_vectors : nodes <= many_nodes ? most_vectors / 2 : 1;
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
    const int64_t wide = vectors_ * s_.e.lanes();
    if (vectors_ > 1) {
      const Value rest = s_.k.binary(Op::rem, s_.k.sub(end, begin), s_.k.i64(wide));
      const Value middle = s_.k.sub(end, rest);
      wide_loop(at, begin, middle);
      begin = middle;
    }
    vector_loop(s_, begin, end, -1, [&](const Coordinate& c) { columns(places(at, c, 1)); });
  }

  void fixed_vectors(const Coordinates& at, int64_t count) {
    const int64_t lanes = s_.e.lanes(), wide = vectors_ * lanes;
    const int64_t middle = count / wide * wide, full = count / lanes * lanes;
    const auto straight = [&](int64_t first, int64_t vectors) {
      s_.e.open_scope();
      columns(places(at, {{}, first, true}, vectors));
      s_.e.close_scope();
    };
    if (middle > wide) {
      wide_loop(at, s_.k.i64(0), s_.k.i64(middle));
    } else if (middle > 0) {
      straight(0, vectors_);
    }
    if (full > middle) straight(middle, (full - middle) / lanes);
    if (count == full) return;
    const Value outer = s_.e.mask();
    s_.e.set_mask(first_lanes(s_.k, s_.e.lanes(), s_.k.i64(count - full)));
    straight(full, 1);
    s_.e.set_mask(outer);
  }

  void wide_loop(const Coordinates& at, Value begin, Value end) {
    s_.k.loop(begin, end, s_.k.i64(vectors_ * s_.e.lanes()), [&](Value i) {
      s_.e.open_scope();
      columns(places(at, {i, 0, true}, vectors_));
      s_.e.close_scope();
    });
  }

  // Of so many vectors from `first` on.
  std::vector<Coordinates> places(const Coordinates& at, const Coordinate& first, int64_t vectors) {
    std::vector<Coordinates> list(static_cast<size_t>(vectors), at);
    for (int64_t i = 0; i < vectors; ++i)
      list[static_cast<size_t>(i)].push_back({first.base, first.offset + i * s_.e.lanes(), true});
    return list;
  }

  // Folds these vectors of columns side by side.
  void columns(const std::vector<Coordinates>& own) {
    std::vector<Coordinates> full(own.size(), Coordinates(s_.shape.space.size()));
    for (size_t v = 0; v < own.size(); ++v)
      for (size_t i = 0; i < kept_.size(); ++i) full[v][static_cast<size_t>(kept_[i])] = own[v][i];
    const auto sums = fold(full, 0, identities(own.size()));
    const size_t reductions = s_.shape.reductions.size();
    for (size_t v = 0; v < own.size(); ++v) {
      for (size_t i = 0; i < reductions; ++i)
        s_.e.bind(s_.shape.reductions[i]->result(), sums[v * reductions + i]);
      store(own[v]);
    }
  }

  void store(const Coordinates& own) {
    std::vector<Value> codes;  // all before the first store, as in KernelScope::store_outputs
    for (const auto& output : s_.region.outputs)
      codes.push_back(s_.e.emit_vector(output.value, own));
    for (size_t i = 0; i < codes.size(); ++i)
      s_.e.store(codes[i], s_.region.outputs[i].value->type, s_.outputs[i], own);
  }

  // Sums of all vectors, those of one vector next to each other.
  std::vector<Value> fold(const std::vector<Coordinates>& at, size_t d,
                          const std::vector<Value>& sums) {
    if (d == s_.shape.axes.size()) {
      std::vector<Value> next;
      for (const Coordinates& place : at)
        for (const Node* r : s_.shape.reductions)
          next.push_back(
              combine(s_, *r, sums[next.size()], s_.e.emit_vector(r->operands[0], place)));
      return next;
    }
    const Dim& dim = s_.shape.space[static_cast<size_t>(s_.shape.axes[d])];
    const Value extent = s_.e.extent(dim);
    if (d > 0 || (!dim.batch && dim.size <= column_block))
      return fold_range(at, d, s_.k.i64(0), extent, sums);
    // Each block is a chain of its own: the rounding of a long sum grows with the block and the
    // number of blocks, not with the rows.
    return s_.k.loop(s_.k.i64(0), extent, s_.k.i64(column_block), sums,
                     [&](Value first, const std::vector<Value>& carried) {
                       const Value next = s_.k.add(first, s_.k.i64(column_block));
                       const auto block =
                           fold_range(at, d, first, s_.k.min(extent, next), identities(at.size()));
                       std::vector<Value> result;
                       for (size_t i = 0; i < block.size(); ++i) {
                         const Node& r = *s_.shape.reductions[i % s_.shape.reductions.size()];
                         result.push_back(combine(s_, r, carried[i], block[i]));
                       }
                       return result;
                     });
  }

  // Rows lo … hi-1 of reduced axis d, in increasing order.
  std::vector<Value> fold_range(const std::vector<Coordinates>& at, size_t d, Value lo, Value hi,
                                const std::vector<Value>& sums) {
    const auto axis = static_cast<size_t>(s_.shape.axes[d]);
    return s_.k.loop(lo, hi, s_.k.i64(1), sums, [&](Value i, const std::vector<Value>& carried) {
      s_.e.open_scope();
      std::vector<Coordinates> inner = at;
      for (Coordinates& place : inner) place[axis] = {i, 0, false};
      auto result = fold(inner, d + 1, carried);
      s_.e.close_scope();
      return result;
    });
  }

  std::vector<Value> identities(size_t vectors) {
    std::vector<Value> values;
    for (size_t v = 0; v < vectors; ++v)
      for (const Node* r : s_.shape.reductions) values.push_back(identity(s_, *r, s_.e.lanes()));
    return values;
  }

  KernelScope& s_;
  std::vector<int64_t> kept_;
  int64_t vectors_ = 1;  // side by side
};

}  // namespace

void lower_column(KernelScope& s) { ColumnLowering(s).run(); }

}  // namespace nnc::kernel
