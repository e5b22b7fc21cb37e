// Weights that lie in panels of columns while they are trained.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::passes {

// Chooses wide weights that one product per step changes and products alone read, and turns them
// and all that is updated with them (moments, averages) from [k, n] into [n / width, k, width] in
// the graph of a step. Their names, in the order of the graph's parameters. Before derivatives are
// simplified; results are the same to the bit.
std::vector<std::string> put_states_in_panels(ir::Graph& step);

// The same states in another graph, which only reads them.
void read_states_in_panels(ir::Graph& graph, const std::vector<std::string>& names);

}  // namespace nnc::passes
