#include "compiler/kernel/block_fetch.h"

#include "compiler/kernel/contract_places.h"

namespace nnc::kernel {

using ir::Dim;

namespace {

constexpr int64_t line = 64;  // bytes of a cache line
// A block that fewer tiles of a thread read comes as fast without being asked for.
constexpr int64_t fetching_tiles = 3;

}  // namespace

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
