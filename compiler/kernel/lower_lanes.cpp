// C[m, pixels, rows] = Σ_k A[m, k] · B[k, pixels, rows]: the tile is so many rows of A (weights,
// one number for a whole vector) by vectors of batch rows; each pixel is a step of the outer loops.
#include "compiler/kernel/lower_lanes.h"

#include <algorithm>

#include "compiler/kernel/contract_places.h"
#include "compiler/kernel/contract_schedule.h"
#include "compiler/kernel/zero_borders.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::Dim;

Coordinates result_coordinates(const ir::Shape& space, const Coordinates& long_dimensions) {
  Coordinates result;
  size_t next = 0;
  for (const Dim& dim : space)
    result.push_back(dim == Dim{} ? Coordinate{} : long_dimensions.at(next++));
  internal_check(next == long_dimensions.size(), "loops that are no dimensions of the result");
  return result;
}

namespace {

struct LanesTile {
  int64_t rows = 1, vectors = 1;
  int lanes = 1;
};

// Cycles for each sum and step over k: multiply-adds and loads two at a time, few sums wait for
// each other, and a window that has left the first cache is fetched again for each panel of rows.
double step_cycles(const LanesTile& tile, int64_t m, int64_t k, int bytes, const Target& target) {
  const auto sums = static_cast<double>(tile.rows * tile.vectors);
  const auto loads = static_cast<double>(tile.rows + tile.vectors);
  const int64_t line_bytes = tile.vectors * tile.lanes * bytes;
  const bool stays = k * line_bytes <= target.l1_bytes * 3 / 4;
  const double panels = static_cast<double>(m) / static_cast<double>(tile.rows);
  const double lines = static_cast<double>(line_bytes) / 64 * (stays ? 1 / panels : 1.0);
  const double latency = 6, per_cycle = 2, line_cycles = 1.8;
  const double step =
      std::max({sums / per_cycle, loads / per_cycle, latency, lines * line_cycles}) + 0.3 * lines;
  const double entry = 12 + sums;
  return (step + 0.05 * loads + entry / static_cast<double>(k)) / sums;
}

LanesTile choose_lanes_tile(const ContractionMap& map, int bytes, const GroupContext& context) {
  const Target& target = context.target;
  const int64_t k = summed(map, context.batch), m = map.m.extent.size;
  LanesTile best;
  double least = 0;
  for (int64_t vectors : {4, 2, 1}) {
    if (vectors > 1 && vectors * target.lanes(bytes) > context.batch) continue;
    for (int64_t rows = 1; rows <= m; ++rows) {
      if (m % rows != 0 || rows * vectors + vectors + 1 > target.registers) continue;
      const LanesTile tile{rows, vectors, target.lanes(bytes)};
      const double cycles = step_cycles(tile, m, k, bytes, target);
      if (least > 0 && cycles >= least) continue;
      best = tile;
      least = cycles;
    }
  }
  return best;
}

LanesTile tile_of(const ContractionMap& map, const GroupContext& context) {
  return choose_lanes_tile(map, bytes_of_element(context), context);
}

bool loops(const LanesTile& tile, const ContractionMap& map, const GroupContext& context) {
  return epilogue_loops(context, map, tile.rows * tile.vectors);
}

// Steps of an innermost loop over taps that are written one after the other.
constexpr int64_t most_written = 8;

class LanesLowering {
 public:
  LanesLowering(KernelScope& s, const ContractionMap& map)
      : s_(s), k_(s.k), node_(*s.shape.contract), map_(map) {
    scalar_ = scalar_of(node_.result()->type.dtype);
    tile_ = tile_of(map, s.context);
    a_ = operand_pointer(s, map.a);
    b_ = operand_pointer(s, map.b);
    for (const MapDim& dim : map.outer) pixel_strides_.push_back(s.e.extent(dim.b));
    for (const MapDim& dim : map.k) tap_strides_.push_back(s.e.extent(dim.b));
    corner_ = s.k.add(s.k.i64(map.b_offset), s.e.extent(map.b_shift));
    s.e.set_lanes(tile_.lanes);
  }

  std::string schedule() const {
    return std::to_string(tile_.rows) + "x" + std::to_string(tile_.vectors) + " vectors of " +
           std::to_string(tile_.lanes) + " batch rows";
  }

  void run() {
    const int64_t chunk = tile_.vectors * tile_.lanes;
    const Value full = k_.binary(Op::bit_and, k_.sub(s_.end, s_.begin), k_.i64(-chunk));
    const Value middle = k_.add(s_.begin, full);
    k_.loop(s_.begin, middle, k_.i64(chunk), [&](Value row) { pixels(row, tile_.vectors); });
    k_.loop(middle, s_.end, k_.i64(tile_.lanes), [&](Value row) {
      mask_ = first_lanes(k_, tile_.lanes, k_.sub(s_.end, row));
      pixels(row, 1);
    });
    mask_ = {};
  }

 private:
  void pixels(Value row, int64_t vectors) {
    s_.e.open_scope();
    pixel_loops(0, k_.add(row, corner_), {}, row, vectors);
    s_.e.close_scope();
  }

  void pixel_loops(size_t d, Value b, const Coordinates& at, Value row, int64_t vectors) {
    if (d == map_.outer.size()) return panels(b, at, row, vectors);
    k_.loop(k_.i64(0), s_.e.extent(map_.outer[d].extent), k_.i64(1), [&](Value i) {
      s_.e.open_scope();
      Coordinates inner = at;
      inner.push_back({i, 0, false});
      pixel_loops(d + 1, k_.add(b, k_.mul(i, pixel_strides_[d])), inner, row, vectors);
      s_.e.close_scope();
    });
  }

  void panels(Value b, const Coordinates& at, Value row, int64_t vectors) {
    if (tile_.rows == map_.m.extent.size) return tile(b, {}, at, row, vectors);
    k_.loop(k_.i64(0), k_.i64(map_.m.extent.size), k_.i64(tile_.rows), [&](Value m) {
      s_.e.open_scope();
      tile(b, m, at, row, vectors);
      s_.e.close_scope();
    });
  }

  void tile(Value b, Value m, const Coordinates& at, Value row, int64_t vectors) {
    Value a = k_.i64(map_.a_offset);
    if (m) a = k_.add(a, k_.mul(m, k_.i64(map_.m.a.size)));
    std::vector<Value> carried(static_cast<size_t>(tile_.rows * vectors),
                               k_.constant({scalar_, tile_.lanes}, 0.0));
    carried.push_back(a);
    carried.push_back(b);
    finish(sum_loops(0, at, carried), m, at, row, vectors);
  }

  // The taps of loop d that are in the picture; `begin` is absent if all are.
  Steps taps_of(size_t d, const Coordinates& at) {
    const Value extent = s_.e.extent(map_.k[d].extent);
    for (const Border& border : map_.borders) {
      if (border.tap != d) continue;
      const Steps inside =
          steps_inside(k_, border, border.pixel ? at[*border.pixel].base : Value{});
      return {inside.begin, k_.min(extent, inside.behind)};
    }
    return {{}, extent};
  }

  // `carried`: the sums, and where A and B stand. What comes back stands anywhere.
  std::vector<Value> sum_loops(size_t d, const Coordinates& at, std::vector<Value> carried) {
    if (d == map_.k.size()) return multiply(std::move(carried));
    const size_t places = carried.size() - 2;
    const Steps taps = taps_of(d, at);
    const Value a_step = k_.i64(map_.k[d].a.size), b_step = tap_strides_[d];
    if (is_written_out(d, taps)) return written_out(d, std::move(carried));
    if (taps.begin) {
      carried[places] = k_.add(carried[places], k_.mul(taps.begin, a_step));
      carried[places + 1] = k_.add(carried[places + 1], k_.mul(taps.begin, b_step));
    }
    return k_.loop(taps.begin ? taps.begin : k_.i64(0), taps.behind, k_.i64(1), carried,
                   [&](Value, const std::vector<Value>& now) {
                     std::vector<Value> next = sum_loops(d + 1, at, now);
                     next[places] = k_.add(now[places], a_step);
                     next[places + 1] = k_.add(now[places + 1], b_step);
                     return next;
                   });
  }

  // The innermost loop, if it is short: its counting would be an instruction in eight.
  bool is_written_out(size_t d, const Steps& taps) const {
    const Dim& extent = map_.k[d].extent;
    return d + 1 == map_.k.size() && !taps.begin && !extent.batch && extent.size <= most_written &&
           k_.known(tap_strides_[d]);
  }

  std::vector<Value> written_out(size_t d, std::vector<Value> carried) {
    const size_t places = carried.size() - 2;
    const Value a = carried[places], b = carried[places + 1];
    for (int64_t i = 0; i < map_.k[d].extent.size; ++i) {
      carried[places] = shifted(a, i * map_.k[d].a.size);
      carried[places + 1] = shifted(b, i * *k_.known(tap_strides_[d]));
      carried = multiply(std::move(carried));
    }
    return carried;
  }

  std::vector<Value> multiply(std::vector<Value> carried) {
    const size_t sums = carried.size() - 2;
    const auto vectors = static_cast<int64_t>(sums) / tile_.rows;
    const Type type{scalar_, tile_.lanes};
    std::vector<Value> b;
    for (int64_t j = 0; j < vectors; ++j)
      b.push_back(k_.load(type, b_, shifted(carried[sums + 1], j * tile_.lanes), mask_));
    for (int64_t i = 0; i < tile_.rows; ++i) {
      const Value place = shifted(carried[sums], i * map_.m.a.size);
      const Value a = k_.splat(k_.load({scalar_, 1}, a_, place), tile_.lanes);
      for (int64_t j = 0; j < vectors; ++j) {
        Value& sum = carried[static_cast<size_t>(i * vectors + j)];
        sum = k_.muladd(a, b[static_cast<size_t>(j)], sum);
      }
    }
    return carried;
  }

  Value shifted(Value place, int64_t by) { return by == 0 ? place : k_.add(place, k_.i64(by)); }

  void finish(const std::vector<Value>& sums, Value m, const Coordinates& at, Value row,
              int64_t vectors) {
    s_.e.set_mask(mask_);
    const auto count = static_cast<size_t>(tile_.rows * vectors);
    if (loops(tile_, map_, s_.context)) {
      for (size_t v = 0; v < count; ++v)
        k_.store(sums[v], s_.scratch, k_.i64(static_cast<int64_t>(v) * tile_.lanes));
      loop_over_rows(m, at, row, vectors);
    } else {
      k_.side_by_side(tile_.rows * vectors, vectors_at_once(s_.context), [&](int64_t v) {
        finish_vector(sums[static_cast<size_t>(v)], {m, v / vectors, false}, at,
                      {row, v % vectors * tile_.lanes, true});
      });
    }
    s_.e.set_mask({});
  }

  // The sums are in the scratch memory.
  void loop_over_rows(Value m, const Coordinates& at, Value row, int64_t vectors) {
    const Type type{scalar_, tile_.lanes};
    const int64_t count = rows_at_once(vectors);
    k_.loop(k_.i64(0), k_.i64(tile_.rows), k_.i64(count), [&](Value i) {
      s_.e.open_scope();
      const Value first = k_.mul(i, k_.i64(vectors * tile_.lanes));
      const Value filter = m ? k_.add(m, i) : i;
      const int64_t together = count * vectors;
      k_.side_by_side(together, together, [&](int64_t v) {
        const Value sum = k_.load(type, s_.scratch, shifted(first, v * tile_.lanes));
        const int64_t shift = v % vectors * tile_.lanes;
        finish_vector(sum, {filter, v / vectors, false}, at, {row, shift, true});
      });
      s_.e.close_scope();
    });
  }

  // Rows of the tile whose vectors are finished side by side; the last few batch rows are worth no
  // code.
  int64_t rows_at_once(int64_t vectors) const {
    if (vectors < tile_.vectors) return 1;
    int64_t count = std::max<int64_t>(vectors_at_once(s_.context) / vectors, 1);
    while (tile_.rows % count != 0) --count;
    return count;
  }

  void finish_vector(Value sum, const Coordinate& m, const Coordinates& at, const Coordinate& row) {
    Coordinates place;
    if (map_.m.extent != Dim{}) place.push_back(m);
    place.insert(place.end(), at.begin(), at.end());
    place.push_back(row);
    s_.e.bind(node_.result(), sum);
    s_.store_outputs(s_.shape.space, result_coordinates(s_.shape.space, place));
  }

  KernelScope& s_;
  Builder& k_;
  const ir::Node& node_;
  const ContractionMap& map_;
  LanesTile tile_;
  Scalar scalar_ = Scalar::f32;
  Value a_, b_, corner_, mask_;
  std::vector<Value> pixel_strides_, tap_strides_;
};

}  // namespace

Slice lanes_slice(const GroupContext& context, const ContractionMap& map) {
  const LanesTile tile = tile_of(map, context);
  Slice slice{map.n.extent, 1};
  if (loops(tile, map, context))
    slice.scratch_bytes = tile.rows * tile.vectors * tile.lanes * bytes_of_element(context);
  return slice;
}

void lower_lanes(KernelScope& s, const ContractionMap& map, std::string& schedule) {
  LanesLowering lowering(s, map);
  schedule = lowering.schedule();
  lowering.run();
}

}  // namespace nnc::kernel
