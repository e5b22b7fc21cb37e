// What a tile asks for while it is added up, because it takes long until it is here: the next rows
// of A, the next panel of B, the next block of a sum (ContractSchedule::block).
#pragma once

#include <vector>

#include "compiler/kernel/contract_schedule.h"
#include "compiler/kernel/contract_sums.h"

namespace nnc::kernel {

// So many rows, where they and the tile's columns begin in A and B, and which row is the first.
struct TileOperands {
  int64_t rows = 0;
  Value a, b, m;
};
std::vector<Ahead> ahead_of_tile(KernelScope& s, const ContractionMap& map,
                                 const ContractSchedule& schedule, const TileOperands& tile);

// Every tile of a thread asks for a part of the next block, and spreads it over its runs of the
// innermost summed loop: a core can wait for few lines at a time, and for the tile's sums too.
class BlockFetch {
 public:
  BlockFetch(KernelScope& s, const ContractionMap& map, const ContractSchedule& schedule);

  // The tile of this number is about to be added up. `block`: the ranges of the outermost summed
  // loops that make the block, one or two.
  void begin(Value tile, const std::vector<Range>& block);
  void end() { parts_.clear(); }
  bool active() const { return !parts_.empty(); }

  // Asks for what falls to the run of this number.
  void fetch(Value run) const;

 private:
  // What one tile asks for of an operand: so many bytes before each run, from byte `first` on.
  struct Part {
    Value pointer, first;
    int64_t bytes = 0;
  };
  // `start`: of the operand's first element; `stride`: which stride of a loop is the operand's;
  // `tiles`: how many a thread is expected to have.
  void add(Value pointer, int64_t start, ir::Dim MapDim::*stride, Value tile, int64_t tiles,
           const std::vector<Range>& block);
  int64_t runs() const;  // of one tile

  KernelScope& s_;
  Builder& k_;
  const ContractionMap& map_;
  const ContractSchedule& schedule_;
  std::vector<Part> parts_;
};

}  // namespace nnc::kernel
