#include "compiler/kernel/views.h"

#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::Dim;
using ir::View;

View row_major(const ir::Shape& shape) {
  View view;
  view.strides.resize(shape.size());
  Dim stride{1, false};
  for (size_t i = shape.size(); i-- > 0;) {
    view.strides[i] = stride;
    internal_check(!(stride.batch && shape[i].batch), "two batch dimensions in one value");
    stride = {stride.size * shape[i].size, stride.batch || shape[i].batch};
  }
  return view;
}

bool counts_rows_last(const ir::Shape& shape) {
  return shape.size() > 1 && shape.back() == Dim{1, true};
}

const ir::Value* base_of(const ir::Value* value) {
  while (value->node && value->node->op->family == ir::Family::movement)
    value = value->node->operands[0];
  return value;
}

std::optional<View> view_over(const ir::Value* value, const ir::Value* source, const View& start) {
  if (value == source) return start;
  const auto inner = view_over(value->node->operands[0], source, start);
  if (!inner) return std::nullopt;
  return value->node->op->view(*value->node, *inner);
}

std::optional<View> view_in_base(const ir::Value* value) {
  const ir::Value* base = base_of(value);
  return view_over(value, base, row_major(base->type.shape));
}

std::optional<PanelView> panels_in_base(const ir::Value* value) {
  if (!value->node || value->node->op->name != "reshape" || value->type.rank() != 2)
    return std::nullopt;
  const ir::Value* parts = value->node->operands[0];
  const ir::Shape& shape = parts->type.shape;
  if (shape.size() != 3 || shape[0] != value->type.shape[0] || shape[1].batch ||
      shape[2] != Dim{panel_width, false})
    return std::nullopt;
  auto view = view_in_base(parts);
  if (!view || view->strides[1].batch || view->strides[2] != Dim{1, false}) return std::nullopt;
  const int64_t stride = view->strides[1].size;
  view->strides.erase(view->strides.begin() + 1);
  return PanelView{*view, stride};
}

std::optional<View> coordinate_map(const ir::Value* value, const ir::Value* source,
                                   size_t dimension) {
  View unit;
  unit.strides.assign(source->type.shape.size(), Dim{0, false});
  unit.strides[dimension] = Dim{1, false};
  return view_over(value, source, unit);
}

}  // namespace nnc::kernel
