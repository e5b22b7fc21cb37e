// Contractions read both operands from memory, the second one along vectors. An operand that lies
// otherwise (a transposed weight of the backward pass, a picture that still has to be gathered and
// cast) is written out once, in the order in which kernels read it.
#include <algorithm>

#include "compiler/kernel/contraction_map.h"
#include "compiler/kernel/views.h"
#include "compiler/passes/axes.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;

namespace {

// Whether kernels can read the operand from a buffer as it is.
bool in_memory(const Value* operand, const ir::Graph& graph) {
  const Value* base = kernel::base_of(operand);
  if (!kernel::view_in_base(operand) && !kernel::panels_in_base(operand)) return false;
  if (base->node) return base->node->op->family != ir::Family::generator && base->type.rank() > 0;
  for (const ir::Param& param : graph.params)
    if (param.value.get() == base) return param.kind == ir::ParamKind::state;
  return false;
}

// A field's rows are looked up one by one: a moved field must still show which row is meant.
bool rows_findable(const Value* value, const ir::Graph& graph) {
  const Value* base = kernel::base_of(value);
  for (const ir::Param& param : graph.params)
    if (param.value.get() == base && param.kind == ir::ParamKind::input) {
      const auto map = kernel::coordinate_map(value, base, 0);
      if (!map) return false;
      return std::all_of(map->strides.begin(), map->strides.end(), [](const ir::Dim& factor) {
        return !factor.batch && (factor.size == 0 || factor.size == 1);
      });
    }
  return true;
}

// Index-dependent generators are written at moved coordinates: each has to be one of the others.
bool indices_findable(const Value* value) {
  const Value* base = kernel::base_of(value);
  if (!base->node || base->node->op->family != ir::Family::generator || base->node->op->uniform)
    return true;
  for (size_t d = 0; d < base->type.shape.size(); ++d) {
    const auto map = kernel::coordinate_map(value, base, d);
    if (!map) return false;
    for (const ir::Dim& factor : map->strides)
      if (factor.batch || (factor.size != 0 && factor.size != 1)) return false;
  }
  return true;
}

// An operand written out; of windows, the whole that they are windows of. A single number may be
// recomputed anywhere, so it is written as a row.
Value* written_out(Builder& b, Value* value) {
  if (shows_windows(value)) {
    const Node& node = *value->node;
    Value* moved = b.op(node.op->name, {written_out(b, node.operands[0])}, node.attributes);
    if (kernel::view_in_base(moved)) return moved;
  }
  if (value->type.rank() > 0) return b.unary("copy", value);
  return b.reshape(b.unary("copy", b.reshape(value, {ir::Dim{}})), {});
}

// The first operand written out; if it is one array for all of the paired products, once for all.
Value* left_written_out(const Node& node, Builder& b) {
  Value* left = node.operands[0];
  if (!is_op(left, "broadcast") || axes_of(node, "lhs_batch") != Axes{0})
    return written_out(b, left);
  Value* one = left->node->operands[0];
  const Axes& places = left->node->attributes.integers("axes");
  if (one->type.rank() == 0 || contains(places, 0)) return written_out(b, left);
  return b.broadcast(written_out(b, one), left->type.shape, places);
}

// The value written out with the batch rows first, in its old order of dimensions: then the strides
// of all the others are numbers, and a slice of them starts at a number.
Value* rows_first(Builder& b, Value* value) {
  Axes order;
  for (int64_t i = 0; i < value->type.rank(); ++i)
    order.insert(value->type.shape[static_cast<size_t>(i)].batch ? order.begin() : order.end(), i);
  Axes back(order.size());
  for (size_t i = 0; i < order.size(); ++i)
    back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return b.transpose(b.unary("copy", b.transpose(value, order)), back);
}

Axes joined(const Axes& a, const Axes& b, const Axes& c) {
  Axes all = a;
  all.insert(all.end(), b.begin(), b.end());
  all.insert(all.end(), c.begin(), c.end());
  return all;
}

Axes counting(size_t from, size_t count) {
  Axes axes;
  for (size_t i = 0; i < count; ++i) axes.push_back(static_cast<int64_t>(from + i));
  return axes;
}

// The second operand as [batch, summed, free], written out.
Value* reorder_right(const Node& node, Value* left, Value* right, Builder& b) {
  const Axes lhs = axes_of(node, "lhs"), rhs = axes_of(node, "rhs");
  const Axes lhs_batch = axes_of(node, "lhs_batch"), rhs_batch = axes_of(node, "rhs_batch");
  Value* moved = b.transpose(right, joined(rhs_batch, rhs, free_axes(right, rhs, rhs_batch)));
  moved = b.unary("copy", moved);
  return b.contract(left, moved, lhs, counting(rhs_batch.size(), rhs.size()), lhs_batch,
                    counting(0, rhs_batch.size()));
}

// Whether kernels would read the operand from the end to the start.
bool backwards(const Value* value) {
  const auto view = kernel::view_in_base(value);  // of panels there is none
  return view && std::any_of(view->strides.begin(), view->strides.end(),
                             [](const ir::Dim& stride) { return stride.size < 0; });
}

bool free_batch(const Value* v, const Axes& free) {
  return std::any_of(free.begin(), free.end(),
                     [&](int64_t i) { return v->type.shape[static_cast<size_t>(i)].batch; });
}

// Batch rows have to be rows of the tile: the operands change sides, and the result is seen
// through a transposition.
Value* change_sides(const Node& node, Builder& b) {
  const Axes lhs = axes_of(node, "lhs"), rhs = axes_of(node, "rhs");
  const Axes lhs_batch = axes_of(node, "lhs_batch"), rhs_batch = axes_of(node, "rhs_batch");
  const Axes left = free_axes(node.operands[0], lhs, lhs_batch);
  const Axes right = free_axes(node.operands[1], rhs, rhs_batch);
  if (!free_batch(node.operands[1], right) || free_batch(node.operands[0], left)) return nullptr;
  const auto map = kernel::map_contraction(node);
  if (map && map->form == kernel::ContractionForm::lanes) return nullptr;
  Value* swapped = b.contract(node.operands[1], node.operands[0], rhs, lhs, rhs_batch, lhs_batch);
  const size_t n = lhs_batch.size();
  return b.transpose(swapped, joined(counting(0, n), counting(n + right.size(), left.size()),
                                     counting(n, right.size())));
}

// Whether the node shows panels to products that read them as they are.
bool read_in_panels(const Node& node, const ir::Graph& graph, const ir::Users& users) {
  const auto found = users.find(node.result());
  if (kernel::view_in_base(node.result()) || !in_memory(node.result(), graph) ||
      found == users.end())
    return false;
  return std::all_of(found->second.begin(), found->second.end(), [&](const Node* user) {
    return user->op->family == ir::Family::contraction && kernel::map_contraction(*user) &&
           user->operands[1] == node.result() && user->operands[0] != node.result();
  });
}

// A weight that many products read turned is better turned once, as is one that is read for every
// block of rows (convolutions); and one that stays in the second cache while it is copied costs
// less than the barrier that an update then has to wait at.
constexpr int64_t large_weight = 128 << 10;  // elements

using Readers = std::map<const Value*, int>;

Readers count_turned_readers(const ir::Graph& graph) {
  Readers readers;
  for (const auto& node : graph.nodes) {
    if (node->op->family != ir::Family::contraction) continue;
    const auto map = kernel::map_contraction(*node);
    if (map && map->turned) ++readers[map->b];
  }
  return readers;
}

bool read_as_it_is(const Node& node, const Readers& turned) {
  const auto map = kernel::map_contraction(node);
  if (!map || backwards(node.operands[1])) return false;
  if (!map->turned) return true;
  const auto found = turned.find(map->b);
  return found != turned.end() && found->second == 1 && map->m.extent == ir::Dim{1, true} &&
         map->n.extent.size * map->k[0].extent.size >= large_weight;
}

// A long sum over batch rows: a tile takes a few elements of each row of the left side, a page or
// so apart, and every panel of tiles does so again. With the batch last, they are runs of memory,
// which pays for writing them out if there are some panels.
Value* turn_left_side(const Node& node, const ir::Graph& graph, Builder& b) {
  const auto map = kernel::map_contraction(node);
  if (!map || map->form != kernel::ContractionForm::rows || map->k.size() != 1 ||
      !map->outer.empty() || node.operands[0]->type.rank() != 2)
    return nullptr;
  const bool along_rows = map->k[0].extent == ir::Dim{1, true} && map->m.a == ir::Dim{1, false};
  constexpr int64_t wide = 4 * kernel::panel_width;
  if (!along_rows || std::min(map->m.extent.size, map->n.extent.size) < wide ||
      kernel::summed(*map, graph.batch) <= kernel::longest_unpacked_sum)
    return nullptr;
  Value* turned = b.unary("copy", b.transpose(node.operands[0], {1, 0}));
  return b.contract(turned, node.operands[1], {1}, axes_of(node, "rhs"));
}

}  // namespace

bool lay_out_contractions(ir::Graph& graph) {
  const auto users = ir::users_of(graph);
  // A movement of a moved value that no strides can say needs its operand written out.
  const bool views = rewrite(graph, [&](Node& node, Builder& b) -> Value* {
    if (node.op->family != ir::Family::movement) return nullptr;
    if (read_in_panels(node, graph, users)) return nullptr;
    if (kernel::view_in_base(node.result()) && rows_findable(node.result(), graph) &&
        indices_findable(node.result()))
      return nullptr;
    Value* in = node.operands[0];
    Value* direct = b.op(node.op->name, {b.unary("copy", in)}, node.attributes);
    if (kernel::view_in_base(direct)) return direct;
    return b.op(node.op->name, {rows_first(b, in)}, node.attributes);
  });
  const bool sides = rewrite(graph, [](Node& node, Builder& b) -> Value* {
    return node.op->family == ir::Family::contraction ? change_sides(node, b) : nullptr;
  });
  const Readers turned = count_turned_readers(graph);
  const bool orders = rewrite(graph, [&](Node& node, Builder& b) -> Value* {
    if (node.op->family != ir::Family::contraction) return nullptr;
    Value* left = node.operands[0];
    Value* right = node.operands[1];
    if (!in_memory(left, graph)) left = left_written_out(node, b);
    if (!in_memory(right, graph)) right = written_out(b, right);
    if (left != node.operands[0] || right != node.operands[1]) {
      Value* direct = b.contract(left, right, axes_of(node, "lhs"), axes_of(node, "rhs"),
                                 axes_of(node, "lhs_batch"), axes_of(node, "rhs_batch"));
      if (const auto map = kernel::map_contraction(*direct->node); map && !map->turned)
        return direct;
      return reorder_right(node, left, right, b);
    }
    if (read_as_it_is(node, turned)) return turn_left_side(node, graph, b);
    return reorder_right(node, left, right, b);
  });
  return views || sides || orders;
}

}  // namespace nnc::passes
