// What reductions along rows and down columns share.
#pragma once

#include "compiler/kernel/lower_group.h"

namespace nnc::kernel {

// One step of a reduction: the accumulator with one more element (or another accumulator).
Value combine(KernelScope& s, const ir::Node& reduction, Value accumulator, Value element);

// What a reduction of nothing gives.
Value identity(KernelScope& s, const ir::Node& reduction, int lanes);

}  // namespace nnc::kernel
