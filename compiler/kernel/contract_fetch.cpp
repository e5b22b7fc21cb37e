#include "compiler/kernel/contract_fetch.h"

#include <optional>

#include "compiler/kernel/contract_places.h"

namespace nnc::kernel {

using ir::Dim;

namespace {

constexpr int64_t line = 64;  // bytes of a cache line

// Where columns are shared, another core has written half of the rows of A, or more. It takes so
// long until they are here that the next tile's are asked for while this one is added up.
std::optional<Ahead> next_rows(KernelScope& s, const ContractionMap& map,
                               const TileOperands& tile) {
  const MapDim& k = map.k.back();
  const bool side_by_side = map.k.size() == 1 && !map.m.a.batch && !k.extent.batch &&
                            k.a == Dim{1, false} && map.m.a == k.extent;
  if (!s.column_begin || !map.m.extent.batch || !side_by_side) return {};
  const int64_t bytes = bytes_of_element(s.context);
  const Value behind = s.k.i64(tile.rows * k.extent.size);
  return Ahead{operand_pointer(s, map.a), s.k.mul(s.k.add(tile.a, behind), s.k.i64(bytes)),
               tile.rows * bytes};
}

// So many tiles of a thread at least have to share what each asks for of the next panel.
constexpr int64_t few_tiles = 4;

// A panel of B from behind the second cache is asked for while the one before it is used: each tile
// asks for its part.
std::optional<Ahead> next_panel(KernelScope& s, const ContractionMap& map,
                                const ContractSchedule& schedule, const TileOperands& tile) {
  const int64_t bytes = bytes_of_element(s.context), k = map.k.back().extent.size;
  const bool whole = map.panel_stride > 0 && map.k.size() == 1 && !schedule.along_rows &&
                     schedule.tile.panels.front() * schedule.tile.lanes == panel_width;
  if (!whole || map.n.extent.size * k * bytes < s.context.target.l2_bytes) return {};
  const int64_t rows = expected_rows(map.m.extent, s.context.batch, s.context.target.threads);
  if (rows < few_tiles * tile.rows) return {};
  const int64_t step = (panel_width * bytes * tile.rows + rows - 1) / rows;
  const Value panel = s.k.mul(s.k.add(tile.b, s.k.i64(map.panel_stride)), s.k.i64(bytes));
  const Value number = s.k.div(s.k.sub(tile.m, s.begin), s.k.i64(tile.rows));
  return Ahead{operand_pointer(s, map.b), s.k.add(panel, s.k.mul(number, s.k.i64(step * k))), step};
}

}  // namespace

std::vector<Ahead> ahead_of_tile(KernelScope& s, const ContractionMap& map,
                                 const ContractSchedule& schedule, const TileOperands& tile) {
  std::vector<Ahead> list;
  if (tile.rows == 1) return list;
  if (const auto rows = next_rows(s, map, tile)) list.push_back(*rows);
  if (const auto panel = next_panel(s, map, schedule, tile)) list.push_back(*panel);
  return list;
}

// A block that fewer tiles of a thread read comes as fast without being asked for.
constexpr int64_t fetching_tiles = 3;

BlockFetch::BlockFetch(KernelScope& s, const ContractionMap& map, const ContractSchedule& schedule)
    : s_(s), k_(s.k), map_(map), schedule_(schedule) {}

void BlockFetch::begin(Value tile, const std::vector<Range>& block) {
  parts_.clear();
  if (tiles() < fetching_tiles) return;
  const Value number = k_.sub(tile, s_.begin);
  add(operand_pointer(s_, map_.a), map_.a_offset, &MapDim::a, number, block);
  add(operand_pointer(s_, map_.b), map_.b_offset, &MapDim::b, number, block);
}

void BlockFetch::fetch(Value run) const {
  for (const Part& part : parts_) {
    const Value first = k_.add(part.first, k_.mul(run, k_.i64(part.lines * line)));
    for (int64_t i = 0; i < part.lines; ++i)
      k_.prefetch(part.pointer, k_.add(first, k_.i64(i * line)));
  }
}

int64_t BlockFetch::tiles() const {
  const int64_t threads = s_.context.target.threads;
  return (block_units(schedule_, map_) + threads - 1) / threads;
}

int64_t BlockFetch::runs() const {
  const bool plain = map_.k.size() == 2;  // each row, or line of one, is a run
  if (schedule_.part > 0) return plain ? 1 : schedule_.part;
  return schedule_.block * (plain ? 1 : map_.k[1].extent.size);
}

void BlockFetch::add(Value pointer, int64_t start, Dim MapDim::*stride, Value tile,
                     const std::vector<Range>& block) {
  const int64_t bytes = bytes_of_element(s_.context);
  const int64_t row = (map_.k[0].*stride).size * bytes, part = (map_.k[1].*stride).size * bytes;
  const bool parts = schedule_.part > 0;
  const int64_t all = parts ? schedule_.part * part : schedule_.block * row;
  const int64_t share = line * tiles() * runs(), lines = (all + share - 1) / share;
  Value first = k_.mul(parts ? block[0].begin : block[0].end, k_.i64(row));
  if (parts) first = k_.add(first, k_.mul(block[1].end, k_.i64(part)));
  first = k_.add(first, k_.i64(start * bytes));
  first = k_.add(first, k_.mul(tile, k_.i64(runs() * lines * line)));
  parts_.push_back({pointer, first, lines});
}

}  // namespace nnc::kernel
