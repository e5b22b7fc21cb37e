// Where the elements of a contraction's operands and of its tile lie.
#pragma once

#include <vector>

#include "compiler/kernel/contraction_map.h"
#include "compiler/kernel/lower_group.h"

namespace nnc::kernel {

// The kernel's parameter for the buffer `base` of an operand.
Value operand_pointer(KernelScope& s, const ir::Value* base);

// i steps of a stride.
Value scaled(KernelScope& s, Value i, const ir::Dim& stride);

// A row of the tile's matrix: base + offset, where the base is a multiple of a known number.
struct RowAt {
  Coordinate m;
  int64_t multiple = 1;
};

// Coordinates of the result by row and column of the tile's matrix. Usually each loop over rows is
// one over a dimension of the result, or over several that the product sees as one; otherwise the
// row-major position is divided up.
class ResultPlaces {
 public:
  ResultPlaces(KernelScope& s, const ContractionMap& map);

  // Of a row's first column; `outer`: where the loops around the tile stand.
  Coordinates row(const std::vector<Value>& outer, const RowAt& row) const;
  // Of column n in that row.
  Coordinates at(Coordinates row, const Coordinate& n) const;

 private:
  // Neighbouring dimensions of the result that one loop runs over.
  struct Run {
    std::vector<size_t> dims;  // that are not 1
    bool together = false;     // nobody asks where in which of them an element is
  };

  bool find_runs();
  Run run_of(size_t first, size_t behind) const;
  void spread(const Run& run, RowAt at, Coordinates& result) const;

  KernelScope& s_;
  const ContractionMap& map_;
  size_t split_ = 0;       // the dimensions before this one are rows
  bool by_loops_ = true;   // else the row-major position is divided up among one run
  std::vector<Run> runs_;  // of each loop, the tile's rows last
};

}  // namespace nnc::kernel
