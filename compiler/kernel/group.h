// What a fused group is: the one place that says which nodes may share a kernel. Fusion asks it
// before it merges, lowering asks it how to write the loops.
#pragma once

#include <optional>
#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::kernel {

enum class GroupKind : uint8_t {
  map,       // every node has the shape of the space (or is uniform)
  row,       // reductions over the trailing axes: one row of the space after the other
  column,    // reductions over other axes: each output element folds its column serially
  contract,  // one contraction with an elementwise epilogue on its result
  place,     // one placement node (pad, fold …) and elementwise nodes that lead to it alone
};

struct GroupShape {
  GroupKind kind = GroupKind::map;
  ir::Shape space;            // of the full elements (row, column: operand of the reductions)
  std::vector<int64_t> axes;  // reduced axes of the space
  ir::Shape result;           // row, column: the space without the reduced axes
  const ir::Node* contract = nullptr;
  const ir::Node* placement = nullptr;
  const ir::Node* padding = nullptr;  // contract: zeros around its second operand, not written
  std::vector<const ir::Node*> reductions;  // in order
};

// Movement, generators and arithmetic on run-time scalars only: recomputed wherever they are used,
// so they belong to no group of their own.
bool is_duplicable(const ir::Node& node);

// Whether these nodes (compute nodes in execution order; duplicable nodes between them are
// followed) can be one kernel, and as what.
std::optional<GroupShape> analyse_group(const std::vector<const ir::Node*>& nodes);

// The compute nodes of a region, in order.
std::vector<const ir::Node*> compute_nodes(const ir::Graph& region);

}  // namespace nnc::kernel
