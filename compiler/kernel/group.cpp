#include "compiler/kernel/group.h"

#include <algorithm>
#include <set>

#include "compiler/ir/op.h"
#include "compiler/kernel/contraction_map.h"
#include "compiler/kernel/views.h"

namespace nnc::kernel {

using ir::Family;
using ir::Node;
using ir::Shape;

bool is_duplicable(const Node& node) {
  const Family family = node.op->family;
  if (family == Family::movement || family == Family::generator) return true;
  if (family != Family::elementwise || node.result()->type.rank() > 0) return false;
  // A number made of run-time scalars and constants only.
  return std::all_of(node.operands.begin(), node.operands.end(), [](const ir::Value* v) {
    if (v->type.rank() > 0) return false;
    return v->node ? is_duplicable(*v->node) : true;
  });
}

std::vector<const Node*> compute_nodes(const ir::Graph& region) {
  std::vector<const Node*> nodes;
  for (const auto& node : region.nodes)
    if (!is_duplicable(*node)) nodes.push_back(node.get());
  return nodes;
}

namespace {

Shape without(const Shape& shape, const std::vector<int64_t>& axes) {
  Shape result;
  for (size_t i = 0; i < shape.size(); ++i)
    if (!std::count(axes.begin(), axes.end(), static_cast<int64_t>(i))) result.push_back(shape[i]);
  return result;
}

Shape without_ones(const Shape& shape) {
  Shape result;
  for (const auto& dim : shape)
    if (dim.batch || dim.size != 1) result.push_back(dim);
  return result;
}

bool trailing(const std::vector<int64_t>& axes, size_t rank) {
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<int64_t>(rank - axes.size() + i)) return false;
  return true;
}

class Analysis {
 public:
  explicit Analysis(const std::vector<const Node*>& nodes)
      : nodes_(nodes), members_(nodes.begin(), nodes.end()) {}

  std::optional<GroupShape> run() {
    if (!find_roots() || !find_space()) return std::nullopt;
    for (const Node* node : nodes_)
      if (!fits(*node)) return std::nullopt;
    return shape_;
  }

 private:
  bool find_roots() {
    for (const Node* node : nodes_) {
      switch (node->op->family) {
        case Family::elementwise: break;
        case Family::reduction: shape_.reductions.push_back(node); break;
        case Family::contraction:
          if (shape_.contract) return false;
          shape_.contract = node;
          break;
        case Family::placement:
          if (shape_.placement) return false;
          shape_.placement = node;
          break;
        default: return false;
      }
    }
    if (shape_.contract && shape_.placement && !takes_padding()) return false;
    return (shape_.contract != nullptr) + (shape_.placement != nullptr) +
               !shape_.reductions.empty() <=
           1;
  }

  // A border of zeros around what a product reads need not be written, if the product can leave out
  // the taps that meet it.
  bool takes_padding() {
    const auto map = map_contraction(*shape_.contract);
    if (!map || map->padding != shape_.placement || !map->padding) return false;
    const Node* below = map->b->node;
    if (below && (members_.count(below) || is_duplicable(*below))) return false;
    shape_.padding = shape_.placement;
    shape_.placement = nullptr;
    return true;
  }

  bool find_space() {
    if (shape_.placement) {
      shape_.kind = GroupKind::place;
      shape_.space = shape_.placement->result()->type.shape;
      return true;
    }
    if (shape_.contract) {
      shape_.kind = GroupKind::contract;
      shape_.space = shape_.contract->result()->type.shape;
      return true;
    }
    if (shape_.reductions.empty()) {
      shape_.space = nodes_.front()->result()->type.shape;
      return true;
    }
    const Node* first = shape_.reductions.front();
    shape_.space = first->operands[0]->type.shape;
    shape_.axes = first->attributes.integers("axes");
    shape_.result = without(shape_.space, shape_.axes);
    for (const Node* r : shape_.reductions)
      if (r->operands[0]->type.shape != shape_.space ||
          r->attributes.integers("axes") != shape_.axes)
        return false;
    shape_.kind = trailing(shape_.axes, shape_.space.size()) ? GroupKind::row : GroupKind::column;
    return true;
  }

  bool is_result_shape(const Shape& shape) const {
    return without_ones(shape) == without_ones(shape_.result);
  }

  bool fits(const Node& node) {
    if (shape_.kind == GroupKind::place) return leads_to_placement(node);
    if (&node == shape_.padding) return true;
    const Shape& shape = node.result()->type.shape;
    const bool full = shape == shape_.space;
    const bool reduced = !shape_.reductions.empty() && is_result_shape(shape);
    if (node.op->family == Family::reduction) {
      after_.insert(&node);
    } else if (!full && !reduced) {
      return false;
    }
    for (const ir::Value* operand : node.operands)
      if (!operand_fits(node, *operand)) return false;
    return true;
  }

  // What a placement copies may be computed on the way, element by element.
  bool leads_to_placement(const Node& node) const {
    return std::all_of(node.operands.begin(), node.operands.end(), [&](const ir::Value* v) {
      if (v->node && members_.count(v->node)) return v->node != shape_.placement;
      return !v->node || !is_duplicable(*v->node) || operands_outside(*v->node);
    });
  }

  // An operand made inside the group has to be used element by element; in row groups, a value of
  // a row may be spread over the row again.
  bool operand_fits(const Node& node, const ir::Value& operand) {
    const ir::Value* v = &operand;
    bool moved = false;
    while (v->node && !members_.count(v->node) && is_duplicable(*v->node)) {
      if (v->node->operands.empty()) return true;
      if (v->node->op->family != Family::movement) return operands_outside(*v->node);
      moved = true;
      v = v->node->operands[0];
    }
    if (!v->node || !members_.count(v->node)) return true;
    if (v->node == shape_.padding) return node.op->family == Family::contraction;
    if (node.op->family == Family::contraction) return false;  // operands come from memory
    const bool late = after_.count(v->node) > 0;
    if (late) after_.insert(&node);
    const Shape& from = v->type.shape;
    if (shape_.kind == GroupKind::row) {
      if (!moved) return true;
      return is_result_shape(from) && row_aligned(operand, *v);
    }
    if (shape_.kind == GroupKind::column) {
      // Nothing of the full space may depend on a finished column.
      if (late && node.op->family == Family::reduction) return false;
      if (late && node.result()->type.shape == shape_.space && shape_.space != shape_.result)
        return false;
    }
    return !moved || from.empty();
  }

  // Whether nothing that the node is made of, however far above, belongs to the group. What is
  // known to is remembered: a network with shortcuts has more paths than nodes by far.
  bool operands_outside(const Node& node) const {
    if (outside_.count(&node)) return true;
    const bool outside =
        std::none_of(node.operands.begin(), node.operands.end(), [&](const ir::Value* v) {
          return v->node && (members_.count(v->node) || !operands_outside(*v->node));
        });
    if (outside) outside_.insert(&node);
    return outside;
  }

  // Whether a moved row value lies over the space with its own axes in their places: dimension i
  // of the row is dimension i of the space.
  bool row_aligned(const ir::Value& operand, const ir::Value& source) const {
    if (operand.type.shape != shape_.space) return is_result_shape(operand.type.shape);
    // Follow each dimension of the source (a view with stride 1 there and 0 elsewhere).
    size_t lead = 0;
    for (size_t d = 0; d < source.type.shape.size(); ++d) {
      const auto& dim = source.type.shape[d];
      if (!dim.batch && dim.size == 1) continue;
      while (lead < shape_.space.size() && shape_.space[lead] == ir::Dim{1, false}) ++lead;
      const auto view = coordinate_map(&operand, &source, d);
      if (!view) return false;
      for (size_t j = 0; j < view->strides.size(); ++j)
        if (view->strides[j].size != (j == lead ? 1 : 0)) return false;
      ++lead;
    }
    return true;
  }

  const std::vector<const Node*>& nodes_;
  std::set<const Node*> members_;
  std::set<const Node*> after_;            // nodes that depend on a reduction of the group
  mutable std::set<const Node*> outside_;  // no member of the group above them
  GroupShape shape_;
};

}  // namespace

std::optional<GroupShape> analyse_group(const std::vector<const Node*>& nodes) {
  return Analysis(nodes).run();
}

}  // namespace nnc::kernel
