// Views: where the elements of a value lie in the buffer of another one. Movement ops say through
// their records how they change a view, so chains of them cost nothing at run time.
#pragma once

#include <optional>

#include "compiler/ir/graph.h"
#include "compiler/ir/op.h"

namespace nnc::kernel {

// Row-major view of a whole buffer, in elements. Strides may count batch rows: with shape [n, 4b]
// the first stride is 4b.
ir::View row_major(const ir::Shape& shape);

// Whether the last of several dimensions counts the batch rows one by one: vectors then run along
// them, and threads share them.
bool counts_rows_last(const ir::Shape& shape);

// Follows movement ops from `value` down to the first value that is none (or to `stop`).
const ir::Value* base_of(const ir::Value* value);

// The view of `value` in the row-major buffer of base_of(value); nothing if strides cannot say it.
std::optional<ir::View> view_in_base(const ir::Value* value);

// Vectors of map and reduction kernels have 16 logical lanes at every hardware width, so that
// reductions along them have one order.
constexpr int logical_lanes = 16;

// Columns of a panel: four of the widest vectors of f32.
constexpr int64_t panel_width = 64;

// Steps of a sum from which its right side should be packed rather than its result be written along
// rows or in panels: every tile reads all of it, a line or two at a time from places far apart.
constexpr int64_t longest_unpacked_sum = 256;

// A matrix [k, n] whose columns lie in panels, [n / 64, k, 64] in memory: the rows of a panel are
// side by side, however wide the matrix is.
struct PanelView {
  ir::View panel;      // the first one
  int64_t stride = 0;  // elements from one panel to the next
};

// Nothing if the value is no such matrix, which the pass `panels` writes as a reshape of a view.
std::optional<PanelView> panels_in_base(const ir::Value* value);

// The view of `value` where that of `source`, which it is reached from by movement ops, is `start`.
std::optional<ir::View> view_over(const ir::Value* value, const ir::Value* source,
                                  const ir::View& start);

// How coordinate `dimension` of `source` depends on the coordinates of `value`, which is reached
// from it by movement ops: strides hold the factors, offset the constant.
std::optional<ir::View> coordinate_map(const ir::Value* value, const ir::Value* source,
                                       size_t dimension);

}  // namespace nnc::kernel
