// Reductions along rows of a few elements, of which there are many: 16 rows at once, one in each
// lane, do in one instruction what one row does with most lanes empty.
#pragma once

#include "compiler/kernel/lower_group.h"

namespace nnc::kernel {

bool are_narrow_rows(const GroupContext& context, const GroupShape& shape);

// Memory that each thread needs for them.
int64_t narrow_scratch_bytes(const GroupContext& context, const GroupShape& shape);

// All rows of the slice.
void lower_narrow_rows(KernelScope& s);

}  // namespace nnc::kernel
