#include "compiler/kernel/contraction_map.h"

#include <algorithm>

#include "compiler/kernel/views.h"

namespace nnc::kernel {

using ir::Dim;

namespace {

bool contains(const std::vector<int64_t>& list, size_t i) {
  return std::count(list.begin(), list.end(), static_cast<int64_t>(i)) > 0;
}

int64_t axis_of(size_t i) { return static_cast<int64_t>(i); }

Dim times(const Dim& a, const Dim& b) { return {a.size * b.size, a.batch || b.batch}; }

// Whether `outer` continues where `inner` ends, in all three buffers: both are then one loop.
bool collapses(const MapDim& outer, const MapDim& inner) {
  auto follows = [&](const Dim& o, const Dim& i) {
    if (i.size == 0 || o.size == 0) return i.size == 0 && o.size == 0;
    if (i.batch && inner.extent.batch) return false;
    return o == times(i, inner.extent);
  };
  return !(outer.extent.batch && inner.extent.batch) && follows(outer.a, inner.a) &&
         follows(outer.b, inner.b) && follows(outer.c, inner.c);
}

void collapse(std::vector<MapDim>& dims) {
  std::vector<MapDim> result;
  for (const MapDim& dim : dims) {
    if (!dim.extent.batch && dim.extent.size == 1) continue;
    if (!result.empty() && collapses(result.back(), dim)) {
      const Dim extent = times(result.back().extent, dim.extent);
      result.back() = dim;
      result.back().extent = extent;
    } else {
      result.push_back(dim);
    }
  }
  dims = std::move(result);
}

MapDim take_last(std::vector<MapDim>& dims) {
  if (dims.empty()) return {};
  const MapDim last = dims.back();
  dims.pop_back();
  return last;
}

constexpr Dim one{1, false}, batch_row{1, true};

void drop_ones(std::vector<MapDim>& dims) {
  std::erase_if(dims, [](const MapDim& dim) { return dim.extent == one; });
}

bool counts_rows(const std::vector<MapDim>& dims) {
  return std::any_of(dims.begin(), dims.end(), [](const MapDim& dim) { return dim.extent.batch; });
}

// Pictures with the batch last on the right, weights on the left.
bool is_lanes(const ContractionMap& map, const std::vector<MapDim>& m,
              const std::vector<MapDim>& n) {
  return map.outer.empty() && m.size() <= 1 && !counts_rows(m) && !counts_rows(map.k) &&
         !n.empty() && n.back().extent == batch_row && n.back().b == one && n.back().c == one;
}

// Pictures with the batch last on both sides, summed over it.
bool is_dot(const ContractionMap& map, const std::vector<MapDim>& m, const std::vector<MapDim>& n) {
  if (!map.outer.empty() || map.k.empty() || counts_rows(m) || counts_rows(n)) return false;
  const MapDim& run = map.k.back();
  const auto far = [](const MapDim& dim) { return dim.a.batch || dim.b.batch; };
  return run.extent.batch && run.a == one && run.b == one &&
         (std::any_of(m.begin(), m.end(), far) || std::any_of(n.begin(), n.end(), far));
}

}  // namespace

namespace {

// Whether the result counts parts of the innermost summed loop.
bool set_parts(ContractionMap& map, const ir::Attributes& attributes) {
  if (!attributes.has("parts")) return false;
  map.parts = attributes.integer("parts");
  map.part_length = attributes.integer("part_length");
  return true;
}

// A loop in parts stays by itself.
void collapse_summed(ContractionMap& map) {
  std::vector<MapDim> run;
  if (map.part_length > 0) run.push_back(take_last(map.k));
  collapse(map.k);
  map.k.insert(map.k.end(), run.begin(), run.end());
}

// Where B lies; of panels, the first one.
std::optional<ir::View> right_view(const ir::Node& node, const ir::Node* padding,
                                   ContractionMap& map) {
  const ir::Value* right = node.operands[1];
  if (padding) {
    const auto below = view_in_base(padding->operands[0]);
    return below ? view_over(right, padding->result(), *below) : std::nullopt;
  }
  if (auto view = view_in_base(right)) return view;
  const auto panels = panels_in_base(right);
  if (!panels) return std::nullopt;
  map.panel_stride = panels->stride;
  return panels->panel;
}

// Summed elements in panels of B, which A has side by side, are one loop: the copy that turns
// panels brings them together.
void join_panels(ContractionMap& map) {
  if (map.k.size() != 2 || !map.outer.empty()) return;
  const MapDim& panels = map.k[0];
  const MapDim& run = map.k[1];
  const bool known = !panels.extent.batch && !panels.b.batch && !run.extent.batch;
  if (!known || run.b != one || panels.a != times(run.a, run.extent)) return;
  if (run.extent.size % logical_lanes != 0) return;
  map.turned_run = run.extent.size;
  map.turned_stride = panels.b.size;
  MapDim all = run;
  all.extent = times(panels.extent, run.extent);
  map.k = {all};
}

// Whether panels of B are whole blocks of the registers that turn them.
bool can_turn(const ir::Node& node, const ContractionMap& map) {
  if (node.result()->type.dtype != ir::DType::f32 || map.panel_stride > 0) return false;
  if (!map.outer.empty() || map.k.size() != 1) return false;
  const MapDim& n = map.n;
  const MapDim& k = map.k[0];
  const bool known = !n.extent.batch && !k.extent.batch && !n.b.batch;
  return known && n.c == one && k.b == one && n.extent.size % panel_width == 0 &&
         k.extent.size % logical_lanes == 0;
}

// The map of a contraction over rows, if vectors along its columns can be had.
std::optional<ContractionMap> with_vectors(const ir::Node& node, ContractionMap map) {
  if (map.n.extent.batch) return std::nullopt;
  map.turned = map.n.extent.size > 1 && (map.n.b != one || map.n.c != one);
  if (map.turned) join_panels(map);
  if (map.turned && !can_turn(node, map)) return std::nullopt;
  return map;
}

// The map of a contraction; with `padding`, B is what lies under that node.
std::optional<ContractionMap> map_over(const ir::Node& node, const ir::Node* padding) {
  const auto a_view = view_in_base(node.operands[0]);
  ContractionMap map;
  const auto b_view = right_view(node, padding, map);
  if (!a_view || !b_view) return std::nullopt;
  map.a = base_of(node.operands[0]);
  map.b = base_of(padding ? padding->operands[0] : node.operands[1]);
  map.padding = padding;
  map.a_offset = a_view->offset;
  map.b_offset = b_view->offset;

  const ir::Attributes& at = node.attributes;
  const std::vector<int64_t> none;
  const auto& lhs = at.integers("lhs");
  const auto& rhs = at.integers("rhs");
  const auto& lhs_batch = at.has("lhs_batch") ? at.integers("lhs_batch") : none;
  const auto& rhs_batch = at.has("rhs_batch") ? at.integers("rhs_batch") : none;
  const ir::Shape& a = node.operands[0]->type.shape;
  const ir::Shape& b = node.operands[1]->type.shape;
  const ir::View c_view = row_major(node.result()->type.shape);

  std::vector<MapDim> m, n;
  size_t out = set_parts(map, at) ? 1 : 0;
  for (size_t i = 0; i < lhs_batch.size(); ++i) {
    const auto ia = static_cast<size_t>(lhs_batch[i]), ib = static_cast<size_t>(rhs_batch[i]);
    map.outer.push_back({a[ia], a_view->strides[ia], b_view->strides[ib], c_view.strides[out++]});
  }
  for (size_t i = 0; i < a.size(); ++i)
    if (!contains(lhs, i) && !contains(lhs_batch, i))
      m.push_back({a[i], a_view->strides[i], {0, false}, c_view.strides[out++]});
  for (size_t i = 0; i < b.size(); ++i)
    if (!contains(rhs, i) && !contains(rhs_batch, i))
      n.push_back({b[i], {0, false}, b_view->strides[i], c_view.strides[out++], axis_of(i)});
  for (size_t i = 0; i < lhs.size(); ++i) {
    const auto ia = static_cast<size_t>(lhs[i]), ib = static_cast<size_t>(rhs[i]);
    map.k.push_back({a[ia], a_view->strides[ia], b_view->strides[ib], {0, false}, rhs[i]});
  }
  collapse(map.outer);
  // Columns stay within one dimension of the result, so that an epilogue can tell where it is.
  drop_ones(n);
  std::vector<MapDim> rows = m;
  drop_ones(rows);
  if (is_lanes(map, rows, n)) map.form = ContractionForm::lanes;
  if (is_dot(map, rows, n)) map.form = ContractionForm::dot;
  collapse(m);
  collapse_summed(map);
  if (map.k.empty()) map.k.push_back({});
  if (map.form == ContractionForm::lanes) map.m = take_last(rows);
  if (map.form == ContractionForm::dot) map.outer = rows;
  if (map.form == ContractionForm::rows) map.m = take_last(m);
  map.n = take_last(n);
  if (map.form == ContractionForm::rows) map.outer.insert(map.outer.end(), m.begin(), m.end());
  map.outer.insert(map.outer.end(), n.begin(), n.end());
  if (map.part_length > 0 && map.form != ContractionForm::dot) return std::nullopt;
  if (map.panel_stride > 0 && map.form != ContractionForm::rows) return std::nullopt;
  if (map.form != ContractionForm::rows) return map;
  return with_vectors(node, map);
}

// The loop along an axis, by itself.
std::optional<size_t> loop_along(const std::vector<MapDim>& dims, const ir::Shape& shape,
                                 size_t axis) {
  for (size_t i = 0; i < dims.size(); ++i)
    if (dims[i].axis == axis_of(axis) && dims[i].extent == shape[axis]) return i;
  return std::nullopt;
}

// The loops that move along dimension d of the padded picture; nothing if they are not one tap
// and at most one pixel.
std::optional<Border> border_along(const ContractionMap& map, const ir::Value* operand, size_t d) {
  const ir::Value* padded = map.padding->result();
  const ir::Shape& shape = operand->type.shape;
  const auto places = coordinate_map(operand, padded, d);
  if (!places) return std::nullopt;
  Border border;
  bool found = false;
  for (size_t axis = 0; axis < places->strides.size(); ++axis) {
    const Dim& factor = places->strides[axis];
    if (factor.size == 0 || shape[axis] == one) continue;
    if (const auto tap = loop_along(map.k, shape, axis); tap && !found && factor.size > 0) {
      border.tap = *tap;
      border.step = factor.size;
      found = true;
    } else if (const auto pixel = loop_along(map.outer, shape, axis); pixel && !border.pixel) {
      border.pixel = pixel;
      border.scale = factor.size;
    } else {
      return std::nullopt;
    }
  }
  border.first = map.padding->attributes.integers("low")[d] - places->offset;
  border.extent = map.padding->operands[0]->type.shape[d].size;
  return found ? std::optional(border) : std::nullopt;
}

bool add_borders(ContractionMap& map, const ir::Value* operand) {
  const auto& low = map.padding->attributes.integers("low");
  const auto& high = map.padding->attributes.integers("high");
  const auto view = view_in_base(map.padding->operands[0]);
  for (size_t d = 0; d < low.size(); ++d) {
    if (low[d] == 0 && high[d] == 0) continue;
    const auto border = border_along(map, operand, d);
    if (!border || !view->strides[d].batch) return false;
    map.borders.push_back(*border);
    map.b_shift = {map.b_shift.size - low[d] * view->strides[d].size, true};
  }
  return true;
}

}  // namespace

bool is_zero_padding(const ir::Node* node) {
  return node && node->op->name == "pad" && node->attributes.number("value") == 0;
}

std::optional<ContractionMap> map_contraction(const ir::Node& node) {
  auto map = map_over(node, nullptr);
  if (!map || map->form != ContractionForm::lanes || !is_zero_padding(map->b->node)) return map;
  auto inside = map_over(node, map->b->node);
  const bool skips =
      inside && inside->form == ContractionForm::lanes && add_borders(*inside, node.operands[1]);
  return skips ? inside : map;
}

int64_t summed(const ContractionMap& map, int64_t batch) {
  int64_t k = 1;
  for (const MapDim& dim : map.k) k *= dim.extent.extent(batch);
  return k / map.parts;
}

}  // namespace nnc::kernel
