// What layers with `init: lsuv` are scaled by before training: how much their products vary.
#pragma once

#include "compiler/assemble/forward.h"

namespace nnc::assemble {

// Turns the forward graph of an evaluation into one with an output for each kernel that starts at
// unit variance, under the kernel's name and in the order in which a row meets them: [b, 2], the
// mean and the mean square, over the row, of what the kernel makes where it is met first. False,
// and nothing is changed, if there is no such kernel.
bool watch_products(Forward& forward);

}  // namespace nnc::assemble
