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

// How many of them share a band of the arena: those of 64 rows, or of half of a smaller batch. The
// more do, the better other values fit into the gaps that they leave there; but two threads should
// have bands of their own.
int64_t stripes_together(int64_t batch, int64_t rows);

// Of a value, in whole lines of memory.
size_t bytes_of_rows(const ir::Value& value, int64_t rows);

// Bytes from a value's first stripe to the stripe with that number.
Value place_of_stripe(Builder& k, const ir::Value& value, const Stripes& stripes, Value number);

// Whether the group reads or writes what lies in stripes.
bool touches_stripes(const ir::Node& group);

}  // namespace nnc::kernel
