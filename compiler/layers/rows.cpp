#include "compiler/layers/rows.h"

#include <algorithm>

#include "compiler/support/diagnostics.h"
#include "runtime/shape.h"

namespace nnc::layers {

bool per_row(const ir::Value* value) {
  const ir::Shape& shape = value->type.shape;
  return !shape.empty() && shape.front().batch;
}

std::vector<int64_t> row_shape(const ir::Value* value) {
  std::vector<int64_t> result;
  for (const ir::Dim& dim : value->type.shape) {
    if (!dim.batch) result.push_back(dim.size);
  }
  return result;
}

int64_t elements(const std::vector<int64_t>& shape) { return elements_of(shape); }

ir::Shape batch_shape(const std::vector<int64_t>& row) {
  ir::Shape shape{ir::Dim{1, true}};
  for (int64_t extent : row) shape.push_back({extent, false});
  return shape;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  }
  return text + "]";
}

std::string type_text(const ir::Value* value) {
  const std::vector<int64_t> row = row_shape(value);
  std::string shape = shape_text(row);
  if (per_row(value)) shape.insert(1, row.empty() ? "batch" : "batch, ");
  return ir::name_of(value->type.dtype) + shape;
}

bool row_axis(const ir::Value* value, int64_t axis, int64_t& result) {
  const int64_t first = per_row(value) ? 1 : 0;
  const int64_t rank = value->type.rank() - first;
  if (axis < -rank || axis >= rank) return false;
  result = first + (axis < 0 ? axis + rank : axis);
  return true;
}

std::vector<int64_t> all_row_axes(const ir::Value* value) {
  std::vector<int64_t> axes;
  for (int64_t i = per_row(value) ? 1 : 0; i < value->type.rank(); ++i) axes.push_back(i);
  return axes;
}

bool broadcast_rows(const std::vector<int64_t>& a, const std::vector<int64_t>& b,
                    std::vector<int64_t>& result) {
  const size_t rank = std::max(a.size(), b.size());
  result.assign(rank, 1);
  for (size_t i = 0; i < rank; ++i) {  // from the end
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return false;
    result[rank - 1 - i] = x == 1 ? y : x;
  }
  return true;
}

ir::Value* spread(ir::Builder& b, ir::Value* value, const std::vector<int64_t>& row, bool batch) {
  const bool has_batch = per_row(value);
  const std::vector<int64_t> own = row_shape(value);
  const ir::Shape target = batch || has_batch ? batch_shape(row) : ir::fixed_shape(row);
  if (value->type.shape == target) return value;
  // Axes of extent 1 that must grow are dropped first: broadcast only adds axes.
  const size_t shift = row.size() - own.size();
  std::vector<int64_t> kept;
  std::vector<int64_t> axes;
  if (has_batch) axes.push_back(0);
  for (size_t i = 0; i < own.size(); ++i) {
    if (own[i] == 1 && row[i + shift] != 1) continue;
    kept.push_back(own[i]);
    axes.push_back(static_cast<int64_t>(i + shift) + (target.size() > row.size() ? 1 : 0));
  }
  if (kept.size() != own.size()) value = reshape_row(b, value, kept);
  return value->type.shape == target ? value : b.broadcast(value, target, axes);
}

ir::Value* row_binary(ir::Builder& b, const std::string& op, ir::Value* x, ir::Value* y) {
  std::vector<int64_t> row;
  internal_check(broadcast_rows(row_shape(x), row_shape(y), row), op + " of rows that do not fit");
  const bool batch = per_row(x) || per_row(y);
  x = spread(b, x, row, batch);
  y = spread(b, y, row, batch);
  return b.op(op, {x, y});
}

ir::Value* reshape_row(ir::Builder& b, ir::Value* value, const std::vector<int64_t>& row) {
  if (row_shape(value) == row) return value;
  return b.reshape(value, per_row(value) ? batch_shape(row) : ir::fixed_shape(row));
}

ir::Value* mean(ir::Builder& b, ir::Value* value, const std::vector<int64_t>& axes, bool keep) {
  int64_t count = 1;
  for (int64_t axis : axes) count *= value->type.shape.at(static_cast<size_t>(axis)).size;
  if (axes.empty() || (count == 1 && keep)) return value;
  ir::Value* sum = b.sum(value, axes, keep);
  return count == 1 ? sum : b.mul(sum, 1.0 / static_cast<double>(count));
}

ir::Value* repeat_axis(ir::Builder& b, ir::Value* reduced, const ir::Value* like, int64_t axis) {
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < like->type.rank(); ++i) {
    if (i != axis) axes.push_back(i);
  }
  return b.broadcast(reduced, like->type.shape, axes);
}

ir::Value* positions(ir::Builder& b, ir::DType dtype, const ir::Shape& shape) {
  return b.iota(shape, static_cast<int64_t>(shape.size()) - 1, dtype);
}

}  // namespace nnc::layers
