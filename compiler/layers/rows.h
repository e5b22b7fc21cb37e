// Shapes of rows. The model language leaves the batch axis out; the graph has it in front.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/ir/builder.h"

namespace nnc::layers {

// Whether the value has one entry per row of the batch; otherwise it is a weight or a number.
bool per_row(const ir::Value* value);

// The shape without the batch axis.
std::vector<int64_t> row_shape(const ir::Value* value);
int64_t elements(const std::vector<int64_t>& shape);

// [b, row…]
ir::Shape batch_shape(const std::vector<int64_t>& row);

// "[28, 28]", for messages; [] is a single number.
std::string shape_text(const std::vector<int64_t>& shape);
// "f32[batch, 784]" or, of a weight, "f32[784, 10]".
std::string type_text(const ir::Value* value);

// The axis of the value for an axis of the row (negative: from the end). None if out of range.
bool row_axis(const ir::Value* value, int64_t axis, int64_t& result);
// All axes of the row, in terms of the value's axes.
std::vector<int64_t> all_row_axes(const ir::Value* value);

// The NumPy result of two row shapes; false if they do not broadcast.
bool broadcast_rows(const std::vector<int64_t>& a, const std::vector<int64_t>& b,
                    std::vector<int64_t>& result);
// The value with row shape `row` and, if asked, one copy per row of the batch.
ir::Value* spread(ir::Builder& b, ir::Value* value, const std::vector<int64_t>& row, bool batch);
// Elementwise op of two values with NumPy broadcasting within the row. The row shapes must fit.
ir::Value* row_binary(ir::Builder& b, const std::string& op, ir::Value* x, ir::Value* y);

// The same numbers under another row shape (equal counts).
ir::Value* reshape_row(ir::Builder& b, ir::Value* value, const std::vector<int64_t>& row);

// Reductions over axes of the value: the mean is the sum times 1/count.
ir::Value* mean(ir::Builder& b, ir::Value* value, const std::vector<int64_t>& axes,
                bool keep = false);
// Value of `reduced`, which has lost axis `axis` of `like`, repeated along it again.
ir::Value* repeat_axis(ir::Builder& b, ir::Value* reduced, const ir::Value* like, int64_t axis);

// 0, 1, 2 … along the last axis, in the shape and dtype given.
ir::Value* positions(ir::Builder& b, ir::DType dtype, const ir::Shape& shape);

}  // namespace nnc::layers
