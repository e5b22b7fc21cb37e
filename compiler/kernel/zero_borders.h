// Borders of zeros that another group has written around what a product reads: taps that meet them
// add nothing.
#pragma once

#include "compiler/kernel/contraction_map.h"
#include "compiler/kernel/lower_group.h"

namespace nnc::kernel {

// Steps begin … behind - 1 of a loop over taps.
struct Steps {
  Value begin, behind;
};

// Those that are in the picture, the loop over pixels standing at `pixel` (absent: there is none).
Steps steps_inside(Builder& k, const Border& border, Value pixel);

// The steps of summed loops that stay inside, for each dimension of A with a border that one of
// these loops runs along, and at most one loop around the tile.
std::vector<Border> zero_borders(const ir::Node& group, const ContractionMap& map);

// How many of all steps stay inside, between 0 and 1.
double share_inside(const std::vector<Border>& borders, const ContractionMap& map);

// Makes begin … end - 1 of summed loop `loop` the steps that stay inside, the loops around the tile
// being at `outer`.
void leave_out_zeros(Builder& k, const std::vector<Border>& borders, size_t loop,
                     const std::vector<Value>& outer, Value& begin, Value& end);

}  // namespace nnc::kernel
