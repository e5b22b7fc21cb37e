// C[m, n] = Σ_pixels Σ_rows A[m, pixel, row] · B[n, pixel, row]: weight gradients of pictures with
// the batch last. Vectors run along the sum: 16 logical lanes take every 16th element of the
// innermost loop, and a fixed tree adds the lanes up, as in reductions along rows; so the order
// of a sum follows from shapes alone. Threads share the tiles, part of the rows after part.
#include <algorithm>

#include "compiler/kernel/contract_chains.h"
#include "compiler/kernel/contract_places.h"
#include "compiler/kernel/contract_schedule.h"
#include "compiler/kernel/lower_lanes.h"
#include "compiler/kernel/stripes.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::Dim;

namespace {

// How many steps of each outer loop, and columns, one tile covers.
struct DotTile {
  std::vector<int64_t> steps;  // one for each outer loop
  int64_t columns = 1;

  int64_t rows() const {
    int64_t product = 1;
    for (int64_t step : steps) product *= step;
    return product;
  }
};

// Windows that lie this many batch rows apart share what they read in the first cache.
constexpr int64_t near_rows = 4;

// Rows of A that are not yet in the first cache, for each step along the sum.
int64_t new_rows(const ContractionMap& map, const DotTile& tile) {
  int64_t rows = 1;
  bool shared = false;
  for (size_t d = 0; d < map.outer.size(); ++d) {
    const bool near = map.outer[d].a.batch && map.outer[d].a.size <= near_rows;
    if (!near || shared) rows *= tile.steps[d];
    shared = shared || near;
  }
  return rows;
}

int64_t tile_count(const ContractionMap& map, const DotTile& tile) {
  int64_t count = map.parts * (map.n.extent.size / tile.columns);
  for (size_t d = 0; d < map.outer.size(); ++d) count *= map.outer[d].extent.size / tile.steps[d];
  return count;
}

// Cycles of the thread that has most to do, for each step along the sum.
double cycles_of(const ContractionMap& map, const DotTile& tile, double registers_each,
                 const Target& target) {
  const auto rows = static_cast<double>(tile.rows()), columns = static_cast<double>(tile.columns);
  const double sums = rows * columns * registers_each;
  const double loads = (rows + columns) * registers_each;
  const double lines = (static_cast<double>(new_rows(map, tile)) + columns) * registers_each;
  const double per_cycle = 2, latency = 5, line_cycles = 2;
  const double step = std::max({sums / per_cycle, loads / per_cycle, latency, lines * line_cycles});
  const int64_t count = tile_count(map, tile);
  const int64_t share = (count + target.threads - 1) / target.threads;
  return static_cast<double>(share) * (step + 0.1 * lines + 0.02 * loads);
}

class DotTileSearch {
 public:
  DotTileSearch(const ContractionMap& map, int bytes, const Target& target)
      : map_(map), target_(target), each_(std::max(1, logical_lanes / target.lanes(bytes))) {
    tile_.steps.assign(map.outer.size(), 1);
    best_ = tile_;
  }

  DotTile run() {
    search(0);
    return best_;
  }

 private:
  void search(size_t d) {
    const bool columns = d == map_.outer.size();
    int64_t& step = columns ? tile_.columns : tile_.steps[d];
    const int64_t extent = columns ? map_.n.extent.size : map_.outer[d].extent.size;
    const bool whole = !columns && map_.outer[d].b.size != 0;  // a loop over B: not part of a tile
    for (int64_t size = 1; size <= (whole ? 1 : extent); ++size) {
      if (extent % size != 0) continue;
      step = size;
      if (!fits()) break;
      columns ? consider() : search(d + 1);
    }
    step = 1;
  }

  bool fits() const {
    const int64_t rows = tile_.rows(), columns = tile_.columns;
    return (rows * columns + std::min(rows, columns) + 1) * each_ <= target_.registers;
  }

  void consider() {
    const double cycles = cycles_of(map_, tile_, each_, target_);
    if (least_ > 0 && cycles >= least_) return;
    least_ = cycles;
    best_ = tile_;
  }

  const ContractionMap& map_;
  const Target& target_;
  int each_;
  DotTile tile_, best_;
  double least_ = 0;
};

DotTile dot_tile(const GroupContext& context, const ContractionMap& map) {
  return DotTileSearch(map, bytes_of_element(context), context.target).run();
}

// Of the loops around the innermost one, whose steps are a few vectors.
Chains dot_chains(const GroupContext& context, const ContractionMap& map) {
  std::vector<Dim> loops;
  for (const MapDim& dim : map.k) loops.push_back(dim.extent);
  const int64_t rows = map.part_length > 0 ? map.part_length : context.batch;
  loops.back() = {(rows + logical_lanes - 1) / logical_lanes, false};
  Chains chains = chains_of(loops, context.batch, longest_sum, longest_chain);
  if (chains.loop + 1 < loops.size()) return chains;
  return loops.size() > 1 ? Chains{loops.size() - 2, 1} : Chains{};
}

Type type_of_sums(const ir::Type& type) { return {scalar_of(type.dtype), logical_lanes}; }

Value fold_sum(Builder& k, Value lanes) {
  for (int half = lanes.type.lanes / 2; half > 1; half /= 2) {
    std::vector<int> low, high;
    for (int i = 0; i < half; ++i) {
      low.push_back(i);
      high.push_back(i + half);
    }
    lanes = k.add(k.shuffle(lanes, lanes, low), k.shuffle(lanes, lanes, high));
  }
  return k.add(k.extract(lanes, 0), k.extract(lanes, 1));
}

class DotLowering {
 public:
  DotLowering(KernelScope& s, const ContractionMap& map)
      : s_(s),
        k_(s.k),
        node_(*s.shape.contract),
        map_(map),
        tile_(dot_tile(s.context, map)),
        type_(type_of_sums(node_.result()->type)),
        chains_(dot_chains(s.context, map)),
        totals_(s, type_, 0, tile_.rows() * tile_.columns) {
    a_ = operand_pointer(s, map.a);
    b_ = operand_pointer(s, map.b);
  }

  std::string schedule() const {
    return std::to_string(tile_.rows()) + "x" + std::to_string(tile_.columns) +
           " sums of 16 lanes" + (chains_.several() ? ", in chains" : "");
  }

  void run() {
    k_.loop(s_.begin, s_.end, k_.i64(1), [&](Value number) {
      s_.e.open_scope();
      tile(number);
      s_.e.close_scope();
    });
  }

 private:
  // The tile's first place along each outer loop and along the columns (coordinates of the result),
  // and the part of the rows.
  struct Place {
    Coordinates at;
    Value part, a, b;
  };

  Value extent(const Dim& dim) {
    if (!dim.batch) return k_.i64(dim.size);
    return dim.size == 1 ? rows_ : k_.mul(rows_, k_.i64(dim.size));
  }

  Value moved(Value base, Value steps, const Dim& stride) {
    return stride.size == 0 ? base : k_.add(base, k_.mul(steps, extent(stride)));
  }

  // Columns change slowest: what B holds of them stays near while windows of A go by.
  Place place_of(Value number) {
    Place place;
    place.a = k_.i64(map_.a_offset);
    place.b = k_.i64(map_.b_offset);
    Coordinates reversed;
    const auto next = [&](const MapDim& dim, int64_t step) {
      const Value count = k_.i64(dim.extent.size / step);
      const Value first = k_.mul(k_.binary(Op::rem, number, count), k_.i64(step));
      number = k_.div(number, count);
      place.a = moved(place.a, first, dim.a);
      place.b = moved(place.b, first, dim.b);
      reversed.push_back({first, 0, false});
    };
    for (size_t d = map_.outer.size(); d-- > 0;) next(map_.outer[d], tile_.steps[d]);
    place.at.assign(reversed.rbegin(), reversed.rend());
    if (map_.n.extent != Dim{}) {
      next(map_.n, tile_.columns);
      place.at.push_back(reversed.back());
    }
    place.part = number;
    return place;
  }

  void tile(Value number) {
    const std::vector<Value> zeros(static_cast<size_t>(tile_.rows() * tile_.columns),
                                   k_.constant(type_, 0.0));
    const std::vector<Value> sums =
        s_.context.block > 0 ? sums_of(number, s_.rows, zeros) : two_ways(number, zeros);
    rows_ = s_.rows;
    finish(sums, place_of(number));
  }

  // A full batch has its number of rows in the code, so that all places of a tile are at fixed
  // distances from one another. Of the two ways to the sums, each a loop of one step or none, one
  // is gone; what is done with the sums is written once.
  std::vector<Value> two_ways(Value number, std::vector<Value> sums) {
    const Value batch = k_.i64(s_.context.batch), none = k_.i64(0), once = k_.i64(1);
    const Value full = k_.select(k_.compare(Op::eq, s_.rows, batch), once, none);
    const auto way = [&](Value rows, Value from, Value to) {
      sums = k_.loop(from, to, once, sums, [&](Value, const std::vector<Value>& now) {
        return sums_of(number, rows, now);
      });
    };
    way(batch, none, full);
    way(s_.rows, full, once);
    return sums;
  }

  std::vector<Value> sums_of(Value number, Value rows, std::vector<Value> carried) {
    rows_ = rows;
    s_.e.open_scope();
    Place place = place_of(number);
    find_run(place);
    find_shifts();
    if (chains_.several()) {
      totals_.start(carried.size());
      chain_loops(0, carried, {place.a, place.b});
      carried = totals_.values(carried.size());
    } else {
      carried.push_back(place.a);
      carried.push_back(place.b);
      carried = sum_loops(0, carried);
      carried.resize(carried.size() - 2);
    }
    s_.e.close_scope();
    return carried;
  }

  // `places`: where A and B stand.
  void chain_loops(size_t d, const std::vector<Value>& zeros, const std::vector<Value>& places) {
    const Value a = extent(map_.k[d].a), b = extent(map_.k[d].b), all = extent(map_.k[d].extent);
    if (d < chains_.loop) {
      k_.loop(k_.i64(0), all, k_.i64(1), places, [&](Value, const std::vector<Value>& now) {
        chain_loops(d + 1, zeros, now);
        return std::vector<Value>{k_.add(now[0], a), k_.add(now[1], b)};
      });
      return;
    }
    const Value steps = k_.i64(chains_.steps);
    k_.loop(k_.i64(0), all, steps, places, [&](Value first, const std::vector<Value>& now) {
      std::vector<Value> carried = zeros;
      carried.insert(carried.end(), now.begin(), now.end());
      carried = steps_of(d, first, k_.min(all, k_.add(first, steps)), carried);
      const auto sums = carried.end() - 2;
      totals_.add(std::vector<Value>(carried.begin(), sums));
      return std::vector<Value>(sums, carried.end());
    });
  }

  // How long the innermost loop is, and where it begins: if it is in parts, at one of the rows.
  void find_run(Place& place) {
    run_ = extent(map_.k.back().extent);
    if (map_.part_length == 0) return;
    if (s_.context.block > 0) return find_stripe(place);
    const bool even = s_.context.batch % map_.part_length == 0;
    const bool full = k_.known(rows_) == s_.context.batch;
    const Value length = k_.i64(map_.part_length);
    Value first = k_.mul(place.part, length);
    if (!full) first = k_.min(first, rows_);
    run_ = full && even ? length : k_.min(length, k_.sub(rows_, first));
    place.a = k_.add(place.a, first);
    place.b = k_.add(place.b, first);
  }

  // The part is a block of rows by itself.
  void find_stripe(Place& place) {
    const Value length = k_.i64(map_.part_length);
    const Value first = k_.min(k_.mul(place.part, length), s_.all_rows);
    run_ = k_.min(length, k_.sub(s_.all_rows, first));
    const auto shift = [&](const ir::Value* value) {
      const Value bytes = place_of_stripe(k_, *value, s_.context.stripes, place.part);
      return k_.div(bytes, k_.i64(bytes_of_element(s_.context)));
    };
    place.a = k_.add(place.a, shift(map_.a));
    place.b = k_.add(place.b, shift(map_.b));
  }

  // Distances of the tile's rows in A, in row-major order of the outer loops, and of its columns.
  void find_shifts() {
    row_shifts_.assign(1, k_.i64(0));
    for (size_t d = 0; d < map_.outer.size(); ++d) {
      std::vector<Value> longer;
      for (const Value& shift : row_shifts_)
        for (int64_t i = 0; i < tile_.steps[d]; ++i)
          longer.push_back(i == 0 ? shift : moved(shift, k_.i64(i), map_.outer[d].a));
      row_shifts_ = std::move(longer);
    }
    column_shifts_.clear();
    for (int64_t j = 0; j < tile_.columns; ++j)
      column_shifts_.push_back(moved(k_.i64(0), k_.i64(j), map_.n.b));
  }

  std::vector<Value> sum_loops(size_t d, const std::vector<Value>& carried) {
    if (d + 1 == map_.k.size()) return sum_run(carried);
    return steps_of(d, k_.i64(0), extent(map_.k[d].extent), carried);
  }

  std::vector<Value> steps_of(size_t d, Value begin, Value end, const std::vector<Value>& carried) {
    const size_t places = carried.size() - 2;
    const Value a = extent(map_.k[d].a), b = extent(map_.k[d].b);
    return k_.loop(begin, end, k_.i64(1), carried, [&](Value, const std::vector<Value>& now) {
      std::vector<Value> next = sum_loops(d + 1, now);
      next[places] = k_.add(now[places], a);
      next[places + 1] = k_.add(now[places + 1], b);
      return next;
    });
  }

  // A carries its place as a pointer: a multiply-add that takes its elements from memory begins as
  // two instructions if the address is a sum of two registers (Intel).
  std::vector<Value> sum_run(std::vector<Value> carried) {
    const Value full = k_.binary(Op::bit_and, run_, k_.i64(-logical_lanes));
    const Value a = carried[carried.size() - 2], b = carried.back();
    std::vector<Value> sums(carried.begin(), carried.end() - 2);
    const int64_t bytes = bytes_of(type_.scalar);
    sums.push_back(k_.offset(a_, k_.mul(a, k_.i64(bytes))));
    sums =
        k_.loop(k_.i64(0), full, k_.i64(logical_lanes), sums, [&](Value i, std::vector<Value> now) {
          const Value place = now.back();
          now.pop_back();
          now = step(place, k_.i64(0), k_.add(b, i), {}, now);
          now.push_back(k_.offset(place, k_.i64(logical_lanes * bytes)));
          return now;
        });
    sums.pop_back();
    // The rest: once or not at all.
    const auto length = k_.known(run_);
    if (!length || *length % logical_lanes != 0)
      sums = k_.loop(full, run_, k_.i64(logical_lanes), sums,
                     [&](Value i, const std::vector<Value>& now) {
                       return step(a_, k_.add(a, i), k_.add(b, i),
                                   first_lanes(k_, logical_lanes, k_.sub(run_, i)), now);
                     });
    sums.push_back(a);
    sums.push_back(b);
    return sums;
  }

  std::vector<Value> step(Value a, Value from_a, Value from_b, Value mask,
                          std::vector<Value> sums) {
    std::vector<Value> columns;
    for (const Value& shift : column_shifts_)
      columns.push_back(k_.load(type_, b_, k_.add(from_b, shift), mask));
    for (size_t r = 0; r < row_shifts_.size(); ++r) {
      const Value row = k_.load(type_, a, k_.add(from_a, row_shifts_[r]), mask);
      for (size_t c = 0; c < columns.size(); ++c) {
        Value& sum = sums[r * columns.size() + c];
        sum = k_.muladd(row, columns[c], sum);
      }
    }
    return sums;
  }

  // The sums wait in the scratch memory and are finished in loops: what is done with one of them (a
  // step of the optimizer) is long, and done once for each.
  void finish(const std::vector<Value>& sums, const Place& place) {
    for (size_t v = 0; v < sums.size(); ++v)
      k_.store(sums[v], s_.scratch, k_.i64(static_cast<int64_t>(v) * logical_lanes));
    s_.e.set_lanes(1);
    part_ = place.part;
    finish_loops(0, k_.i64(0), place.at);
    s_.e.set_lanes(logical_lanes);
  }

  // `number`: of the tile's sums, row-major; `at`: their coordinates, from dimension `d` on those
  // of the tile's first one.
  void finish_loops(size_t d, Value number, const Coordinates& at) {
    if (d == at.size()) return finish_sum(number, at);
    const int64_t steps = d < map_.outer.size() ? tile_.steps[d] : tile_.columns;
    k_.loop(k_.i64(0), k_.i64(steps), k_.i64(1), [&](Value i) {
      s_.e.open_scope();
      Coordinates inner = at;
      inner[d].base = k_.add(at[d].base, i);
      finish_loops(d + 1, k_.add(k_.mul(number, k_.i64(steps)), i), inner);
      s_.e.close_scope();
    });
  }

  void finish_sum(Value number, Coordinates at) {
    if (map_.parts > 1) at.insert(at.begin(), {part_, 0, false});
    const Value place = k_.mul(number, k_.i64(logical_lanes));
    s_.e.bind(node_.result(), fold_sum(k_, k_.load(type_, s_.scratch, place)));
    s_.store_outputs(s_.shape.space, result_coordinates(s_.shape.space, at));
  }

  KernelScope& s_;
  Builder& k_;
  const ir::Node& node_;
  const ContractionMap& map_;
  DotTile tile_;
  Type type_;
  Chains chains_;
  const TileChains totals_;
  Value a_, b_, rows_, run_, part_;
  std::vector<Value> row_shifts_, column_shifts_;
};

}  // namespace

Slice dot_slice(const GroupContext& context, const ContractionMap& map) {
  const DotTile tile = dot_tile(context, map);
  Slice slice{{tile_count(map, tile), false}, 1};
  const int64_t sums = tile.rows() * tile.columns;
  const int64_t elements = dot_chains(context, map).several()
                               ? TileChains::elements({Scalar::f32, logical_lanes}, sums)
                               : sums * logical_lanes;
  slice.scratch_bytes = elements * bytes_of_element(context);
  return slice;
}

void lower_dot(KernelScope& s, const ContractionMap& map, std::string& schedule) {
  DotLowering lowering(s, map);
  schedule = lowering.schedule();
  lowering.run();
}

}  // namespace nnc::kernel
