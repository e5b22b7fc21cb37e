// Masked stores of a single row, made whole.
#pragma once

#include <string>

#include "compiler/kernel/kernel.h"

namespace nnc::kernel {

// For a module that is only ever run for one row by one thread: stores of the first lanes of a
// vector into the arena become stores of all lanes. Processors hand a stored vector on to the loads
// that follow at once, but not a masked one, and a network of one row does little else than wait
// for that. Slots of the arena begin and end at multiples of 64 bytes, so that what is written too
// much lies in nobody's way; where this cannot be seen from the code, the mask stays.
// `core` is the function with the parameters `arena`, `rows`, `thread` and `threads`, which calls
// the kernels. Returns the number of stores that were changed.
int widen_stores(Module& module, const std::string& core);

}  // namespace nnc::kernel
