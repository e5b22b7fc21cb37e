// Where a program that learns keeps values with the batch last: block of rows after block of rows,
// in memory of its own for each. Side by side in lines of memory, the rows of one thread would be a
// few lines between those of the others, and the hardware, which fetches ahead, would take lines
// from one core to the other that nobody asked for.
#pragma once

#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/kernel/hazards.h"

namespace nnc::kernel {

// Rows of a stripe, those of a part of the products that sum over rows; 0: the graph has no such
// product, or a group that cannot run for one stripe after the other.
int64_t find_stripe_rows(const ir::Graph& graph, const std::vector<GroupFacts>& groups);

// Whether the group reads or writes what lies in stripes.
bool touches_stripes(const ir::Node& group);

}  // namespace nnc::kernel
