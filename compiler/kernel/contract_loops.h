// The loops over the summed dimensions of a contraction over rows: blocks, chains, and what a tile
// adds up of them.
#pragma once

#include <functional>
#include <vector>

#include "compiler/kernel/contract_chains.h"
#include "compiler/kernel/contract_fetch.h"
#include "compiler/kernel/contract_places.h"
#include "compiler/kernel/contract_sums.h"
#include "compiler/kernel/zero_borders.h"

namespace nnc::kernel {

class ContractLoops {
 protected:
  explicit ContractLoops(KernelScope& s);

  // Where the tile stands: element offsets into A and B, and into the row-major result.
  struct Offsets {
    Value a, b, c;
  };

  // The part of a tile that is added up at once.
  struct Part {
    int64_t rows = 1, vectors = 1;
    Value mask;  // of the last vector of each row
  };

  Value scaled(Value i, const ir::Dim& stride) { return kernel::scaled(s_, i, stride); }
  Value plus(Value a, Value b) { return a ? (b ? k_.add(a, b) : a) : b; }
  Offsets moved(const Offsets& at, const MapDim& dim, Value i);

  Range whole(size_t d) { return {k_.i64(0), s_.e.extent(map_.k[d].extent)}; }
  // Runs `body` for all ranges of so many steps of a summed loop, between begin and end.
  void each_block(size_t d, Range range, int64_t steps, const std::function<void()>& body);

  std::vector<Value> zeros(int64_t vectors) const;
  // The finished sums of a tile that begins there.
  std::vector<Value> sums_of(const Offsets& at, const Part& part);
  // With those of the loops from d on, in their present ranges.
  std::vector<Value> sum_loops(size_t d, const Offsets& at, const Part& part,
                               const std::vector<Value>& sums);

  KernelScope& s_;
  Builder& k_;
  const ir::Node& node_;
  ContractionMap map_;
  ContractSchedule schedule_;
  Tile tile_;
  Scalar scalar_;
  const ContractSums sums_;
  BlockFetch fetch_;
  std::vector<Value> outer_;   // where the loops around the tile stand
  std::vector<Ahead> ahead_;   // what the tile that is added up asks for
  std::vector<Range> ranges_;  // of the outermost summed loops, while a block is added up

 private:
  Range range_of(size_t d);
  std::vector<Value> run(const Range& range, const Offsets& at, const Part& part,
                         std::vector<Value> sums);
  void chain_loops(size_t d, const Offsets& at,
                   const std::function<void(size_t, const Offsets&)>& chain);

  const TileChains chains_;
  const std::vector<Border> borders_;
};

}  // namespace nnc::kernel
