// Functions that compute the same, written once.
#pragma once

#include "compiler/kernel/kernel.h"

namespace nnc::kernel {

// Removes functions that are equal to an earlier one, and calls that one in their place: layers of
// one shape have one set of kernels. Exported functions stay.
void share_equal(Module& module);

}  // namespace nnc::kernel
