// Derivatives: one reverse walk over the graph with the ops' own rules.
#pragma once

#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::autodiff {

// Appends to `graph` the gradients of `loss` (shape [], or any shape: the sum of its elements is
// differentiated) with respect to `targets`, and returns them in order; null where the loss does
// not depend on the target. Backward nodes carry the span of their forward node. Only nodes on a
// path from a target to the loss are visited, so that no unneeded gradient (the first layer's
// input) is built.
std::vector<ir::Value*> gradients(ir::Graph& graph, ir::Value* loss,
                                  const std::vector<ir::Value*>& targets);

}  // namespace nnc::autodiff
