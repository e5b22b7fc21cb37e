// Where the elements of a contraction's operands and of its tile lie.
#pragma once

#include "compiler/kernel/contraction_map.h"
#include "compiler/kernel/lower_group.h"

namespace nnc::kernel {

// The kernel's parameter for the buffer `base` of an operand.
Value operand_pointer(KernelScope& s, const ir::Value* base);

// i steps of a stride.
Value scaled(KernelScope& s, Value i, const ir::Dim& stride);

// Coordinates of the result in row m and column n of the tile's matrix; `outer` is the row-major
// position that the loops around the tile have come to (absent: 0). With one row dimension and one
// column dimension they are (m, n); otherwise the row-major position is divided up (rarely: several
// dimensions that do collapse for the product may be apart for a bias).
Coordinates result_coordinates(KernelScope& s, const ContractionMap& map, Value outer,
                               const Coordinate& m, const Coordinate& n);

}  // namespace nnc::kernel
