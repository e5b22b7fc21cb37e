// The contraction generator: register tiles over C[outer, m, n], one chain of multiply-adds per
// element in increasing k, and the group's elementwise nodes on the finished tile while it is still
// in registers.
#include <numeric>

#include "compiler/kernel/contract_epilogue.h"
#include "compiler/kernel/contract_loops.h"
#include "compiler/kernel/contract_places.h"
#include "compiler/kernel/lower_lanes.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::Dim;

namespace {

class ContractLowering : ContractLoops {
 public:
  explicit ContractLowering(KernelScope& s) : ContractLoops(s), epilogue_(s, map_, schedule_) {
    s_.e.set_lanes(tile_.lanes);
  }

  void run() {
    Offsets start{k_.i64(map_.a_offset), k_.i64(map_.b_offset), {}};
    if (schedule_.block > 0) return blocks(start);
    outer_loops(0, start);
  }

  std::string schedule() const {
    return std::to_string(tile_.rows) + "x" + std::to_string(tile_.panels.front()) +
           " vectors of " + std::to_string(tile_.lanes) +
           (tile_.packed ? map_.turned ? ", turned" : ", packed" : "") +
           (schedule_.by_panels ? ", by panels"
            : s_.column_begin   ? ", by columns"
                                : "") +
           (schedule_.along_rows ? ", along rows" : "") + (schedule_.flat ? ", side by side" : "") +
           (schedule_.between ? ", between sums" : "") +
           (schedule_.block > 0 ? ", by blocks" : "") +
           (schedule_.chains.several() ? ", in chains" : "");
  }

 private:
  void outer_loops(size_t d, const Offsets& at) {
    if (d == map_.outer.size()) return row_loops(at);
    const MapDim& dim = map_.outer[d];
    const Range shared =
        schedule_.by_panels ? Range{s_.column_begin, s_.column_end} : Range{s_.begin, s_.end};
    const Range range = d == 0 ? shared : Range{k_.i64(0), s_.e.extent(dim.extent)};
    k_.loop(range.begin, range.end, k_.i64(1), [&](Value i) {
      s_.e.open_scope();
      outer_[d] = i;
      outer_loops(d + 1, moved(at, dim, i));
      s_.e.close_scope();
    });
  }

  void row_loops(const Offsets& at) {
    const bool shared = map_.outer.empty() || schedule_.by_panels;
    const Value begin = shared ? s_.begin : k_.i64(0);
    const Value end = shared ? s_.end : s_.e.extent(map_.m.extent);
    if (schedule_.along_rows) return by_rows(at, begin, end);
    if (schedule_.by_columns && s_.column_begin)
      return panel_loop(at, begin, end, s_.column_begin, s_.column_end, tile_.panels.front());
    int64_t column = 0;
    for (size_t p = 0; p < tile_.panels.size();) {
      size_t same = p;
      while (same < tile_.panels.size() && tile_.panels[same] == tile_.panels[p] &&
             (masks_cost_nothing() || !is_masked(column, tile_.panels[p], same - p)))
        ++same;
      if (same > p + 1) {
        const int64_t right =
            column + static_cast<int64_t>(same - p) * tile_.panels[p] * tile_.lanes;
        ragged_ = right > map_.n.extent.size;
        panel_loop(at, begin, end, k_.i64(column), k_.i64(right), tile_.panels[p]);
        ragged_ = false;
        column = right;
        p = same;
      } else {
        panel(at, begin, end, {{}, column, false}, tile_.panels[p]);
        column += tile_.panels[p] * tile_.lanes;
        ++p;
      }
    }
  }

  // One tile of many that threads share.
  struct Unit {
    Value number;
    Offsets at;
    Value m;
    Coordinate column;
  };

  // Every block of the sum meets all tiles of the thread; in between, sums wait in its scratch
  // memory, at their places in the result.
  void blocks(const Offsets& start) {
    const std::vector<Value> nothing = zeros(tile_vectors(schedule_));
    each_unit(start, [&](const Unit& unit) { keep(unit, nothing); });
    const auto add = [&] { each_unit(start, [&](const Unit& unit) { keep(unit, added(unit)); }); };
    const auto rows = [&](const Range& range) {
      each_block(0, range, schedule_.block, [&] {
        schedule_.part > 0 ? each_block(1, whole(1), schedule_.part, add) : add();
      });
    };
    schedule_.chains.several() ? chains_by_blocks(start, rows, add) : rows(whole(0));
    ranges_.clear();
    each_unit(start, [&](const Unit& unit) {
      const int64_t vectors = tile_.panels.front();
      const Value mask = tail_mask(unit.column, vectors);
      epilogue_.finish({outer_, unit.m, tile_.rows, unit.column, vectors, mask, tile_.rows},
                       kept(unit));
    });
  }

  // Chains of some rows each, or of some lines of one.
  void chains_by_blocks(const Offsets& start, const std::function<void(const Range&)>& rows,
                        const std::function<void()>& add) {
    const Type type{scalar_, tile_.lanes};
    const int64_t apart = totals_apart(map_);
    const auto at_totals = [&](const std::function<void(Value)>& body) {
      each_unit(start, [&](const Unit& unit) { each_vector(unit, body); });
    };
    const Value zero = k_.constant(type, 0.0);
    at_totals([&](Value place) {
      for (int64_t i : {1, 2}) k_.store(zero, s_.scratch, k_.add(place, k_.i64(i * apart)));
    });
    const auto end = [&] { at_totals([&](Value at) { end_chain(s_, type, at, apart); }); };
    const int64_t steps = schedule_.chains.steps;
    if (schedule_.chains.loop == 0) {
      each_block(0, whole(0), steps, [&] {
        rows(ranges_[0]);
        end();
      });
    } else {
      each_block(0, whole(0), 1, [&] {
        each_block(1, whole(1), steps, [&] {
          each_block(1, ranges_[1], schedule_.part, add);
          end();
        });
      });
    }
    at_totals([&](Value place) { settle_chain(s_, type, place, apart); });
  }

  // The vectors of a unit in the scratch memory, whole ones: what is behind a row's end is another
  // row's, which loses nothing if its chain ends a moment earlier, or nobody's.
  void each_vector(const Unit& unit, const std::function<void(Value)>& body) {
    const Value first = first_place(unit);
    k_.loop(k_.i64(0), k_.i64(tile_.rows), k_.i64(1), [&](Value row) {
      const Value begin = k_.add(first, k_.mul(row, k_.i64(map_.m.c.size)));
      const Value end = k_.add(begin, k_.i64(tile_.panels.front() * tile_.lanes));
      k_.loop(begin, end, k_.i64(tile_.lanes), body);
    });
  }

  // Columns change slowest: a panel of B stays near while the rows of A go by.
  void each_unit(const Offsets& start, const std::function<void(const Unit&)>& body) {
    k_.loop(s_.begin, s_.end, k_.i64(1), [&](Value number) {
      s_.e.open_scope();
      Unit unit{number, start, {}, {}};
      const auto next = [&](int64_t count) {
        const Value index = k_.binary(Op::rem, number, k_.i64(count));
        number = k_.div(number, k_.i64(count));
        return index;
      };
      unit.m = k_.mul(next(map_.m.extent.size / tile_.rows), k_.i64(tile_.rows));
      for (size_t d = map_.outer.size(); d-- > 0;) {
        outer_[d] = next(map_.outer[d].extent.size);
        unit.at = moved(unit.at, map_.outer[d], outer_[d]);
      }
      if (tile_.panels.size() > 1)
        unit.column.base = k_.mul(number, k_.i64(tile_.panels.front() * tile_.lanes));
      body(unit);
      s_.e.close_scope();
    });
  }

  std::vector<Value> added(const Unit& unit) {
    const int64_t vectors = tile_.panels.front();
    fetch_.begin(unit.number, ranges_);
    Offsets tile = moved(unit.at, map_.m, unit.m);
    tile.b = k_.add(tile.b, column_of_b(unit.column));
    std::vector<Value> sums = kept(unit);
    if (fetch_.active()) sums.push_back(k_.i64(0));  // the number of the run
    sums = sum_loops(0, tile, {tile_.rows, vectors, tail_mask(unit.column, vectors)}, sums);
    if (fetch_.active()) sums.pop_back();
    fetch_.end();
    return sums;
  }

  // Calls body(place of a vector in the scratch memory, its mask) for all vectors of a tile.
  void each_place(const Unit& unit, const std::function<void(Value, Value)>& body) {
    const int64_t vectors = tile_.panels.front();
    const Value mask = tail_mask(unit.column, vectors);
    const Value first = first_place(unit);
    for (int64_t i = 0; i < tile_.rows; ++i)
      for (int64_t j = 0; j < vectors; ++j)
        body(k_.add(first, k_.i64(i * map_.m.c.size + j * tile_.lanes)),
             j == vectors - 1 ? mask : Value{});
  }

  Value first_place(const Unit& unit) {
    return k_.add(plus(unit.at.c, scaled(unit.m, map_.m.c)), s_.e.scalar_coordinate(unit.column));
  }

  std::vector<Value> kept(const Unit& unit) {
    std::vector<Value> sums;
    each_place(unit, [&](Value place, Value mask) {
      sums.push_back(k_.load({scalar_, tile_.lanes}, s_.scratch, place, mask));
    });
    return sums;
  }

  void keep(const Unit& unit, const std::vector<Value>& sums) {
    size_t next = 0;
    each_place(unit,
               [&](Value place, Value mask) { k_.store(sums[next++], s_.scratch, place, mask); });
  }

  bool is_masked(int64_t column, int64_t vectors, size_t later) const {
    const int64_t right = column + static_cast<int64_t>(later + 1) * vectors * tile_.lanes;
    return right > map_.n.extent.size;
  }

  // Whether panels that are full may be masked like the last one: a step that somebody waits for is
  // compiled sooner then.
  bool masks_cost_nothing() const {
    return s_.context.updates && s_.context.target.isa == Isa::avx512;
  }

  // Equal panels share their code.
  void panel_loop(const Offsets& at, Value begin, Value end, Value left, Value right,
                  int64_t vectors) {
    k_.loop(left, right, k_.i64(vectors * tile_.lanes), [&](Value n) {
      s_.e.open_scope();
      panel(at, begin, end, {n, 0, false}, vectors);
      s_.e.close_scope();
    });
  }

  void panel(const Offsets& at, Value begin, Value end, const Coordinate& column, int64_t vectors) {
    if (tile_.packed) pack(k_.add(at.b, column_of_b(column)), column, vectors);
    each_size(begin, end, [&](Value from, Value to, int64_t rows) {
      tiles(at, from, to, rows, column, vectors);
    });
  }

  void pack(Value first, const Coordinate& column, int64_t vectors) {
    if (map_.turned) return sums_.pack_turned(first, vectors);
    sums_.pack(first, vectors, tail_mask(column, vectors));
  }

  // Full tiles, those of what they leave over, and single rows, if there are any.
  void each_size(Value begin, Value end, const std::function<void(Value, Value, int64_t)>& body) {
    const bool known = !map_.m.extent.batch;
    int64_t left = map_.m.extent.size;
    for (const int64_t rows : {tile_.rows, tile_.rest}) {
      if (rows == 1) continue;
      const Value last = k_.sub(end, k_.binary(Op::rem, k_.sub(end, begin), k_.i64(rows)));
      body(begin, last, rows);
      begin = last;
      left %= rows;
    }
    if (!known || left > 0) body(begin, end, 1);
  }

  // The first row and column of a tile.
  struct Corner {
    Value m;
    Coordinate column;
    int64_t multiple = 1;  // of which m is one
  };
  using Corners = std::function<Corner(Value)>;
  using EachVector = std::function<std::vector<Value>(Value, Value, std::vector<Value>)>;

  // Tiles along the rows of the result first.
  void by_rows(const Offsets& at, Value begin, Value end) {
    const int64_t vectors = tile_.panels.front(), width = vectors * tile_.lanes;
    const auto across = [&](Value from, Value to, int64_t rows) {
      k_.loop(from, to, k_.i64(rows), [&](Value m) {
        k_.loop(s_.column_begin, s_.column_end, k_.i64(width), [&](Value n) {
          s_.e.open_scope();
          one_tile(at, {m, {n, 0, false}}, rows, vectors);
          s_.e.close_scope();
        });
      });
    };
    each_size(begin, end, [&](Value from, Value to, int64_t rows) {
      if (!schedule_.between || rows != tile_.rows) return across(from, to, rows);
      const Value panels = k_.div(k_.sub(s_.column_end, s_.column_begin), k_.i64(width));
      const Value count = k_.mul(k_.div(k_.sub(to, from), k_.i64(rows)), panels);
      interleaved(at, vectors, count, [&](Value i) {
        const Value m = k_.mul(k_.div(i, panels), k_.i64(rows));
        const Value n = k_.mul(k_.binary(Op::rem, i, panels), k_.i64(width));
        return Corner{k_.add(from, m), {k_.add(s_.column_begin, n), 0, false}};
      });
    });
  }

  Value tail_mask(const Coordinate& column, int64_t vectors) {
    const int64_t covered = vectors * tile_.lanes;
    const bool full = column.base ? !ragged_ : column.offset + covered <= map_.n.extent.size;
    if (tile_.lanes == 1 || full) return {};
    const Value last = k_.add(s_.e.scalar_coordinate(column), k_.i64(covered - tile_.lanes));
    return first_lanes(k_, tile_.lanes, k_.sub(k_.i64(map_.n.extent.size), last));
  }

  void tiles(const Offsets& at, Value begin, Value end, int64_t rows, const Coordinate& column,
             int64_t vectors) {
    if (schedule_.between && rows == tile_.rows)
      return interleaved(at, vectors, k_.div(k_.sub(end, begin), k_.i64(rows)), [&](Value i) {
        return Corner{k_.add(begin, k_.mul(i, k_.i64(rows))), column};
      });
    const auto first = k_.known(begin);
    const int64_t multiple = first ? std::gcd(*first, rows) : 1;
    k_.loop(begin, end, k_.i64(rows), [&](Value m) {
      s_.e.open_scope();
      one_tile(at, {m, column, multiple}, rows, vectors);
      s_.e.close_scope();
    });
  }

  // So many tiles, one after the other, which begin at `corners`. What becomes of a tile stands
  // between the sums of the next one: roots and divisions then run beside multiply-adds. No sum
  // changes. Behind the last tile comes one more step, without sums; so all is written once.
  void interleaved(const Offsets& at, int64_t vectors, Value count, const Corners& corners) {
    const Value k = s_.e.extent(map_.k[0].extent);
    const Value part = k_.div(k, k_.i64(tile_.rows * vectors));
    const Value none = k_.i64(0), one = k_.i64(1);
    const auto each_vector = [&](std::vector<Value> carried, const EachVector& body) {
      return k_.loop(none, k_.i64(tile_.rows), one, carried,
                     [&](Value row, const std::vector<Value>& outer) {
                       return k_.loop(none, k_.i64(vectors), one, outer,
                                      [&](Value vector, const std::vector<Value>& now) {
                                        return body(row, vector, now);
                                      });
                     });
    };
    const auto if_true = [&](Value condition, const std::function<void()>& body) {
      k_.branch(condition, [&] {
        s_.e.open_scope();
        body();
        s_.e.close_scope();
      });
    };
    // A root is begun one vector ahead, so that a division need not wait for it.
    const auto finish = [&](Value i, Value row, Value vector) {
      const TileAt tile = result_at(corners(i), tile_.rows, vectors);
      epilogue_.finish_kept(tile, row, vector);
      const Value number = k_.add(k_.mul(row, k_.i64(vectors)), k_.add(vector, one));
      const Value next = k_.min(number, k_.i64(tile_.rows * vectors - 1));
      epilogue_.take_roots(tile, k_.div(next, k_.i64(vectors)),
                           k_.binary(Op::rem, next, k_.i64(vectors)));
    };
    const Value behind = k_.select(k_.compare(Op::lt, none, count), k_.add(count, one), none);
    k_.loop(none, behind, one, [&](Value i) {
      s_.e.open_scope();
      const Value has_sums = k_.compare(Op::lt, i, count), has_last = k_.compare(Op::lt, none, i);
      const Value all_steps = k_.select(has_sums, k, none);
      const Value some_steps = k_.select(has_sums, part, none);
      const Value last = k_.sub(i, one);
      if_true(has_last, [&] {
        epilogue_.take_roots(result_at(corners(last), tile_.rows, vectors), none, none);
      });
      const Corner corner = corners(i);
      const TileAt result = result_at(corner, tile_.rows, vectors);
      std::vector<Value> carried = zeros(tile_.rows * vectors);
      carried.push_back(none);
      carried = each_vector(carried, [&](Value row, Value vector, std::vector<Value> now) {
        const Value first = now.back(), end = k_.add(first, some_steps);
        now.pop_back();
        epilogue_.fetch(epilogue_.one_vector(result, row, vector));
        now = sum_of({first, end}, at, corner, vectors, now);
        if_true(has_last, [&] { finish(last, row, vector); });
        now.push_back(end);
        return now;
      });
      const Value first = carried.back();
      carried.pop_back();
      epilogue_.keep(sum_of({first, all_steps}, at, corner, vectors, carried));
      s_.e.close_scope();
    });
  }

  TileAt result_at(const Corner& corner, int64_t rows, int64_t vectors) {
    return {outer_,         corner.m, rows,
            corner.column,  vectors,  tail_mask(corner.column, vectors),
            corner.multiple};
  }

  Offsets operands_at(const Offsets& at, const Corner& corner) {
    Offsets tile = moved(at, map_.m, corner.m);
    tile.b = map_.n.b.size ? k_.add(tile.b, column_of_b(corner.column)) : tile.b;
    return tile;
  }

  // Where a column begins in B.
  Value column_of_b(const Coordinate& column) {
    const Value n = s_.e.scalar_coordinate(column);
    if (map_.turned) return scaled(n, map_.n.b);
    if (map_.panel_stride == 0) return n;
    const Value panel = k_.i64(panel_width);
    return k_.add(k_.mul(k_.div(n, panel), k_.i64(map_.panel_stride)),
                  k_.binary(Op::rem, n, panel));
  }

  // Of a product with one summed loop.
  std::vector<Value> sum_of(const Range& steps, const Offsets& at, const Corner& corner,
                            int64_t vectors, const std::vector<Value>& sums) {
    const Offsets tile = operands_at(at, corner);
    return sums_.add(steps, tile.a, tile.b, tile_.rows, vectors, {}, sums);
  }

  void one_tile(const Offsets& at, const Corner& corner, int64_t rows, int64_t vectors) {
    const TileAt result = result_at(corner, rows, vectors);
    const Offsets operands = operands_at(at, corner);
    if (rows > 1) epilogue_.fetch(result);
    ahead_ = ahead_of_tile(s_, map_, schedule_, {rows, operands.a, operands.b, corner.m});
    epilogue_.finish(result, sums_of(operands, {rows, vectors, result.mask}));
    ahead_.clear();
  }

  const ContractEpilogue epilogue_;
  bool ragged_ = false;  // whether the last of the panels that a loop goes through is masked
};

}  // namespace

void lower_contract(KernelScope& s, std::string& schedule) {
  const auto map = map_contraction(*s.shape.contract);
  if (map->form == ContractionForm::lanes) return lower_lanes(s, *map, schedule);
  if (map->form == ContractionForm::dot) return lower_dot(s, *map, schedule);
  ContractLowering lowering(s);
  schedule = lowering.schedule();
  lowering.run();
}

}  // namespace nnc::kernel
