// Products whose vectors hold one element of several batch rows: pictures with the batch last.
#pragma once

#include <string>

#include "compiler/kernel/contraction_map.h"
#include "compiler/kernel/lower_group.h"

namespace nnc::kernel {

// ContractionForm::lanes: weights on the left, a picture on the right, threads share its rows.
Slice lanes_slice(const GroupContext& context, const ContractionMap& map);
void lower_lanes(KernelScope& s, const ContractionMap& map, std::string& schedule);

// ContractionForm::dot: both sides are pictures and rows are summed; threads share the tiles.
Slice dot_slice(const GroupContext& context, const ContractionMap& map);
void lower_dot(KernelScope& s, const ContractionMap& map, std::string& schedule);

// Coordinates of the result, given those of its dimensions other than 1 in order.
Coordinates result_coordinates(const ir::Shape& space, const Coordinates& long_dimensions);

}  // namespace nnc::kernel
