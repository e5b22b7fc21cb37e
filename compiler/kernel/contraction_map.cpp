#include "compiler/kernel/contraction_map.h"

#include <algorithm>

#include "compiler/kernel/views.h"

namespace nnc::kernel {

using ir::Dim;

namespace {

bool contains(const std::vector<int64_t>& list, size_t i) {
  return std::count(list.begin(), list.end(), static_cast<int64_t>(i)) > 0;
}

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

}  // namespace

std::optional<ContractionMap> map_contraction(const ir::Node& node) {
  const auto a_view = view_in_base(node.operands[0]);
  const auto b_view = view_in_base(node.operands[1]);
  if (!a_view || !b_view) return std::nullopt;
  ContractionMap map;
  map.a = base_of(node.operands[0]);
  map.b = base_of(node.operands[1]);
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
  size_t out = 0;
  for (size_t i = 0; i < lhs_batch.size(); ++i) {
    const auto ia = static_cast<size_t>(lhs_batch[i]), ib = static_cast<size_t>(rhs_batch[i]);
    map.outer.push_back({a[ia], a_view->strides[ia], b_view->strides[ib], c_view.strides[out++]});
  }
  for (size_t i = 0; i < a.size(); ++i)
    if (!contains(lhs, i) && !contains(lhs_batch, i))
      m.push_back({a[i], a_view->strides[i], {0, false}, c_view.strides[out++]});
  for (size_t i = 0; i < b.size(); ++i)
    if (!contains(rhs, i) && !contains(rhs_batch, i))
      n.push_back({b[i], {0, false}, b_view->strides[i], c_view.strides[out++]});
  for (size_t i = 0; i < lhs.size(); ++i) {
    const auto ia = static_cast<size_t>(lhs[i]), ib = static_cast<size_t>(rhs[i]);
    map.k.push_back({a[ia], a_view->strides[ia], b_view->strides[ib], {0, false}});
  }
  collapse(map.outer);
  collapse(m);
  // Columns stay within one dimension of the result, so that an epilogue can tell where it is.
  std::erase_if(n, [](const MapDim& dim) { return dim.extent == Dim{}; });
  collapse(map.k);
  if (map.k.empty()) map.k.push_back({});
  map.m = take_last(m);
  map.n = take_last(n);
  map.outer.insert(map.outer.end(), m.begin(), m.end());
  map.outer.insert(map.outer.end(), n.begin(), n.end());
  if (map.n.extent.batch) return std::nullopt;
  const Dim one{1, false};
  if (map.n.extent.size > 1 && (map.n.b != one || map.n.c != one)) return std::nullopt;
  return map;
}

}  // namespace nnc::kernel
