// Copies of transposed matrices: 16 by 16 elements at a time through registers.
#pragma once

#include "compiler/kernel/lower_group.h"

namespace nnc::kernel {

// 16 vectors of 16 lanes as the rows of a square: they become its columns.
void transpose_registers(Builder& k, std::vector<Value>& rows);

// Whether the group only writes out a matrix whose columns are contiguous in memory, or several
// such one after another, or puts the batch rows of a value last or first.
bool is_transposed_copy(const GroupContext& context, const GroupShape& shape);

// Rows [begin, end) of the copy (batch rows wherever they stand) that come in full tiles; returns
// the first row that is left over, or nothing if all are done.
Value lower_transposed_tiles(KernelScope& s);

}  // namespace nnc::kernel
