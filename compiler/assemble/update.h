// The second half of a training step: what the optimizer does with the gradients, as graph ops.
#pragma once

#include <vector>

#include "compiler/assemble/forward.h"
#include "compiler/language/description.h"
#include "compiler/support/diagnostics.h"

namespace nnc::assemble {

// Appends clipping, the optimizer and the assignments to forward.graph, and the optimizer's states
// to forward.states. `gradients` belong to forward.trainable() one by one; null where the loss does
// not depend on a parameter (a warning; an error if that is so for all of them).
void append_update(Forward& forward, const std::vector<ir::Value*>& gradients,
                   const Description& description, const EntryPlan& entry,
                   Diagnostics& diagnostics);

}  // namespace nnc::assemble
