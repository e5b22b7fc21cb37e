#include "compiler/kernel/contract_fetch.h"

#include <optional>

#include "compiler/kernel/contract_places.h"

namespace nnc::kernel {

using ir::Dim;

namespace {

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

// The part of `bytes` that comes before step `at` of begin … end - 1.
Value part_before(Builder& k, int64_t bytes, Value at, Value begin, Value end) {
  return k.div(k.mul(k.sub(at, begin), k.i64(bytes)), k.sub(end, begin));
}

// Whether panels of B, each one run of memory, come from behind the second cache.
bool streams_panels(KernelScope& s, const ContractionMap& map, const ContractSchedule& schedule) {
  const bool whole = map.panel_stride > 0 && map.outer.empty() && map.k.size() == 1 &&
                     schedule.tile.panels.front() * schedule.tile.lanes == panel_width;
  const int64_t bytes = bytes_of_element(s.context), k = map.k.back().extent.size;
  return whole && map.n.extent.size * k * bytes >= s.context.target.l2_bytes;
}

// One row reads all of B once. The hardware fetches ahead up to the end of a page only, and weights
// that a program carries lie in small ones: a page further on is asked for.
std::optional<Ahead> next_page(KernelScope& s, const ContractionMap& map,
                               const ContractSchedule& schedule, const TileOperands& tile) {
  constexpr int64_t page = 4096;
  if (s.context.batch != 1 || !streams_panels(s, map, schedule)) return {};
  const int64_t bytes = bytes_of_element(s.context);
  const Value begin = s.k.add(s.k.mul(tile.b, s.k.i64(bytes)), s.k.i64(page));
  return Ahead{operand_pointer(s, map.b), begin, panel_width * bytes};
}

// A panel of B from behind the second cache is asked for while the one before it is used: each tile
// asks for its part, and for what follows if the thread has more rows than expected.
std::optional<Ahead> next_panel(KernelScope& s, const ContractionMap& map,
                                const ContractSchedule& schedule, const TileOperands& tile) {
  const int64_t bytes = bytes_of_element(s.context), k = map.k.back().extent.size;
  if (schedule.along_rows || !streams_panels(s, map, schedule)) return {};
  const int64_t rows = expected_rows(map.m.extent, s.context.batch, s.context.target.threads);
  if (rows < few_tiles * tile.rows) return {};
  const int64_t step = (panel_width * bytes * tile.rows + rows - 1) / rows;
  const Value panel = s.k.mul(s.k.add(tile.b, s.k.i64(map.panel_stride)), s.k.i64(bytes));
  const Value before = part_before(s.k, panel_width * k * bytes, tile.m, s.begin, s.end);
  return Ahead{operand_pointer(s, map.b), s.k.add(panel, before), step};
}

}  // namespace

std::vector<Ahead> ahead_of_tile(KernelScope& s, const ContractionMap& map,
                                 const ContractSchedule& schedule, const TileOperands& tile) {
  std::vector<Ahead> list;
  if (tile.rows == 1) {
    if (const auto page = next_page(s, map, schedule, tile)) list.push_back(*page);
    return list;
  }
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
  const int64_t threads = s_.context.target.threads;
  const int64_t tiles = (block_units(schedule_, map_) + threads - 1) / threads;
  if (tiles < fetching_tiles) return;
  add(operand_pointer(s_, map_.a), map_.a_offset, &MapDim::a, tile, tiles, block);
  add(operand_pointer(s_, map_.b), map_.b_offset, &MapDim::b, tile, tiles, block);
}

void BlockFetch::fetch(Value run) const {
  constexpr int64_t few_lines = 16;
  for (const Part& part : parts_) {
    const Value first = k_.add(part.first, k_.mul(run, k_.i64(part.bytes)));
    const auto ask = [&](Value at) { k_.prefetch(part.pointer, at); };
    if (part.bytes > few_lines * line) {
      k_.loop(first, k_.add(first, k_.i64(part.bytes)), k_.i64(line), ask);
      continue;
    }
    for (int64_t i = 0; i < part.bytes; i += line) ask(k_.add(first, k_.i64(i)));
  }
}

int64_t BlockFetch::runs() const {
  const bool parts = schedule_.part > 0;
  if (map_.k.size() == 2) return parts ? 1 : schedule_.block;  // rows, or the part of one
  int64_t runs = parts ? schedule_.part : schedule_.block * map_.k[1].extent.size;
  for (size_t d = 2; d + 1 < map_.k.size(); ++d) runs *= map_.k[d].extent.size;
  return runs;
}

void BlockFetch::add(Value pointer, int64_t start, Dim MapDim::*stride, Value tile, int64_t tiles,
                     const std::vector<Range>& block) {
  const int64_t bytes = bytes_of_element(s_.context);
  const int64_t row = (map_.k[0].*stride).size * bytes, part = (map_.k[1].*stride).size * bytes;
  const bool parts = schedule_.part > 0;
  const int64_t all = parts ? schedule_.part * part : schedule_.block * row;
  Value first = k_.mul(parts ? block[0].begin : block[0].end, k_.i64(row));
  if (parts) first = k_.add(first, k_.mul(block[1].end, k_.i64(part)));
  first = k_.add(first, k_.i64(start * bytes));
  first = k_.add(first, part_before(k_, all, tile, s_.begin, s_.end));
  parts_.push_back({pointer, first, (all + tiles * runs() - 1) / (tiles * runs())});
}

}  // namespace nnc::kernel
