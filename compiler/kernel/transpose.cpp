#include "compiler/kernel/transpose.h"

#include <algorithm>

#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

namespace {

constexpr int64_t side = logical_lanes;

// What a copying group reads: its only output up to nodes that change nothing.
const ir::Value* copied_value(const ir::Graph& region) {
  const ir::Value* value = region.outputs.front().value;
  const auto nodes = compute_nodes(region);
  if (nodes.empty()) return value;
  const bool identity = nodes.size() == 1 && nodes[0]->operands.size() == 1 &&
                        nodes[0]->op->cost == 0 &&
                        nodes[0]->operands[0]->type == nodes[0]->result()->type;
  return identity ? nodes[0]->operands[0] : nullptr;
}

}  // namespace

// Exchanges blocks of halving size until rows have become columns.
void transpose_registers(Builder& k, std::vector<Value>& rows) {
  for (int distance = side / 2; distance >= 1; distance /= 2) {
    std::vector<int> low, high;
    for (int lane = 0; lane < side; ++lane) {
      const bool first = (lane & distance) == 0;
      low.push_back(first ? lane : lane - distance + side);
      high.push_back(first ? lane + distance : lane + side);
    }
    for (int r = 0; r < side; ++r) {
      if (r & distance) continue;
      const auto a = static_cast<size_t>(r), b = static_cast<size_t>(r + distance);
      const Value top = k.shuffle(rows[a], rows[b], low);
      rows[b] = k.shuffle(rows[a], rows[b], high);
      rows[a] = top;
    }
  }
}

namespace {

using ir::Dim;

constexpr Dim one{1, false}, batch_row{1, true};

// Rows of so few elements are gathered sooner than the code that turns tiles is compiled.
constexpr int64_t short_row = 32;

// A matrix whose columns are contiguous, or several one after another (weights in panels); rows of
// the batch put last, or first again.
enum class Transposition : uint8_t { none, matrix, matrices, rows_last, rows_first };

bool is_matrices(const ir::Shape& space, const ir::View& view) {
  const auto counts_rows = [](const Dim& dim) { return dim.batch; };
  return space.size() == 3 && view.strides[1] == one && view.strides[2].size > 1 &&
         space[1].size >= side && space[2].size >= side &&
         std::none_of(space.begin(), space.end(), counts_rows) &&
         std::none_of(view.strides.begin(), view.strides.end(), counts_rows);
}

Transposition transposition_of(const ir::Shape& space, const ir::View& view) {
  if (is_matrices(space, view)) return Transposition::matrices;
  if (space.size() < 2 || view.strides[0] != one) return Transposition::none;
  const Dim& second = view.strides[1];
  if (space.size() == 2 && space[1] == batch_row)
    return !second.batch && second.size > 1 ? Transposition::rows_last : Transposition::none;
  const bool all_count_rows = std::all_of(view.strides.begin() + 1, view.strides.end(),
                                          [](const Dim& stride) { return stride.batch; });
  const bool short_rows = space.size() == 2 && space[1].size <= short_row;
  if (space[0] == batch_row && all_count_rows && space.back().size > 1 && !short_rows)
    return Transposition::rows_first;
  if (space.size() == 2 && !space[1].batch && second.size > 1) return Transposition::matrix;
  return Transposition::none;
}

class TransposedCopy {
 public:
  explicit TransposedCopy(KernelScope& s)
      : s_(s),
        k_(s.k),
        value_(copied_value(s.region)),
        view_(*view_in_base(value_)),
        type_{scalar_of(value_->type.dtype), static_cast<int>(side)} {}

  // All full tiles of rows; the first row that is left over, or none if there can't be any.
  Value run() {
    const Transposition kind = transposition_of(s_.shape.space, view_);
    if (kind == Transposition::matrices) return matrices(), Value{};
    const Value rest = k_.binary(Op::bit_and, k_.sub(s_.end, s_.begin), k_.i64(side - 1));
    middle_ = k_.sub(s_.end, rest);
    switch (kind) {
      case Transposition::matrix: matrix(); break;
      case Transposition::rows_last: rows_last(); break;
      case Transposition::rows_first: rows_first(); break;
      case Transposition::matrices:
      case Transposition::none: break;
    }
    return middle_;
  }

 private:
  // Tiles of all of `columns`; what is missing of the last one is read as zeros.
  void columns(int64_t count, const std::function<void(Value, int64_t)>& body) {
    const int64_t full = count / side * side;
    if (full > 0)
      k_.loop(k_.i64(0), k_.i64(full), k_.i64(side), [&](Value first) { body(first, side); });
    if (count > full) body(k_.i64(full), count - full);
  }

  void row_tiles(const std::function<void(Value)>& body) {
    k_.loop(s_.begin, middle_, k_.i64(side), body);
  }

  Value place(Value base, Value i, int64_t shift, Value stride) {
    return k_.add(base, k_.mul(k_.add(i, k_.i64(shift)), stride));
  }

  // `loads` vectors from `from`, `from_stride` apart, to `stores` vectors at `to`.
  void tile(Value from, Value from_stride, int64_t loads, Value load_mask, Value to,
            Value to_stride, int64_t stores, Value store_mask) {
    std::vector<Value> rows;
    for (int64_t r = 0; r < side; ++r)
      rows.push_back(r < loads ? k_.load(type_, k_.function().body.params[0],
                                         place(from, k_.i64(0), r, from_stride), load_mask)
                               : k_.constant(type_, 0.0));
    transpose_registers(k_, rows);
    for (int64_t r = 0; r < stores; ++r)
      k_.store(rows[static_cast<size_t>(r)], s_.outputs[0].pointer,
               place(to, k_.i64(0), r, to_stride), store_mask);
  }

  Value mask_of(int64_t count) {
    return count == side ? Value{} : first_lanes(k_, side, k_.i64(count));
  }

  void matrix() {
    const Value stride = s_.e.extent(view_.strides[1]);
    const Value width = k_.i64(s_.shape.space[1].size), offset = k_.i64(view_.offset);
    row_tiles([&](Value i) {
      columns(s_.shape.space[1].size, [&](Value j, int64_t count) {
        tile(place(k_.add(i, offset), j, 0, stride), stride, count, {}, place(j, i, 0, width),
             width, side, mask_of(count));
      });
    });
  }

  void matrices() {
    const int64_t height = s_.shape.space[1].size, width = s_.shape.space[2].size;
    const Value stride = k_.i64(view_.strides[2].size);
    k_.loop(s_.begin, s_.end, k_.i64(1), [&](Value m) {
      const Value from = place(k_.i64(view_.offset), m, 0, k_.i64(view_.strides[0].size));
      const Value to = k_.mul(m, k_.i64(height * width));
      columns(height, [&](Value i, int64_t rows) {
        columns(width, [&](Value j, int64_t count) {
          tile(place(k_.add(from, i), j, 0, stride), stride, count, mask_of(rows),
               place(k_.add(to, j), i, 0, k_.i64(width)), k_.i64(width), rows, mask_of(count));
        });
      });
    });
  }

  void rows_last() {
    const Value stride = s_.e.extent(view_.strides[1]), offset = k_.i64(view_.offset);
    columns(s_.shape.space[0].size, [&](Value j, int64_t count) {
      row_tiles([&](Value i) {
        tile(place(k_.add(j, offset), i, 0, stride), stride, side, mask_of(count),
             place(i, j, 0, s_.rows), s_.rows, count, {});
      });
    });
  }

  void rows_first() {
    const ir::Shape& space = s_.shape.space;
    const ir::Shape outer(space.begin() + 1, space.end() - 1);
    const ir::View target = row_major(space);
    const Value from_stride = s_.e.extent(view_.strides.back());
    const Value row = k_.i64(target.strides[0].size);
    nest(s_, outer, 0, {}, [&](const Coordinates& at) {
      Value from = k_.i64(view_.offset), to = k_.i64(0);
      for (size_t d = 0; d < at.size(); ++d) {
        const Value i = s_.e.scalar_coordinate(at[d]);
        from = place(from, i, 0, s_.e.extent(view_.strides[d + 1]));
        to = place(to, i, 0, s_.e.extent(target.strides[d + 1]));
      }
      columns(space.back().size, [&](Value j, int64_t count) {
        row_tiles([&](Value i) {
          tile(place(k_.add(from, i), j, 0, from_stride), from_stride, count, {},
               place(k_.add(to, j), i, 0, row), row, side, mask_of(count));
        });
      });
    });
  }

  KernelScope& s_;
  Builder& k_;
  const ir::Value* value_;
  ir::View view_;
  Type type_;
  Value middle_;
};

}  // namespace

bool is_transposed_copy(const GroupContext& context, const GroupShape& shape) {
  const ir::Graph& region = *context.node.region;
  if (region.outputs.size() != 1 || region.params.size() != 1) return false;
  const ir::Type& type = region.outputs[0].value->type;
  if (type.dtype != ir::DType::f32 && type.dtype != ir::DType::f64) return false;
  if (context.operands[0] != OperandKind::memory) return false;
  const ir::Value* value = copied_value(region);
  if (!value || base_of(value)->node) return false;
  const auto view = view_in_base(value);
  return view && transposition_of(shape.space, *view) != Transposition::none;
}

Value lower_transposed_tiles(KernelScope& s) { return TransposedCopy(s).run(); }

}  // namespace nnc::kernel
