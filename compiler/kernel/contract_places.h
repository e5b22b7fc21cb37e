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

// Coordinates of the result in a row and a column of the tile's matrix; `outer`: where the loops
// around the tile stand. Usually each loop is a dimension of the result, or several that collapse
// for the product but not for a bias; otherwise the row-major position is divided up.
Coordinates result_coordinates(KernelScope& s, const ContractionMap& map,
                               const std::vector<Value>& outer, const RowAt& row,
                               const Coordinate& n);

}  // namespace nnc::kernel
