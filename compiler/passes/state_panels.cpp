// A panel is one run of memory: products read it, and updates read and write it, from start to end,
// so that the hardware fetches ahead what lies behind the second cache. In rows, the columns of a
// thread are short pieces, as far apart as rows are long: often a power of two, which few sets of
// the caches share, and beside pieces that another core is writing.
#include "compiler/passes/state_panels.h"

#include <set>

#include "compiler/kernel/views.h"
#include "compiler/passes/axes.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Dim;
using ir::Graph;
using ir::Node;
using ir::Param;
using ir::Shape;
using ir::Users;
using ir::Value;

namespace {

constexpr int64_t width = kernel::panel_width;
// Elements from which it pays, and columns that two threads can share.
constexpr int64_t large = 16 << 10, shared_columns = 2 * width;

bool is_contraction(const Node* node) {
  return node && node->op->family == ir::Family::contraction;
}

// The gradient of a dense layer's weight [k, n]: a product of matrices, summed over their rows. (Of
// sequences and pictures other passes take sums apart, and this may change no order.)
bool is_gradient(const Node& node) {
  if (!is_contraction(&node) || node.operands[0]->type.rank() != 2) return false;
  if (node.operands[1]->type.rank() != 2 || axes_of(node, "rhs") != Axes{0}) return false;
  const Shape& shape = node.result()->type.shape;
  if (shape.size() != 2 || ir::has_batch(shape)) return false;
  return shape[1].size % shared_columns == 0 && shape[0].size * shape[1].size >= large;
}

// A product that reads a weight [k, n] along n or along k.
bool reads_weight(const Node& node, const Value* weight) {
  if (!is_contraction(&node) || is_gradient(node) || node.operands[1] != weight) return false;
  if (node.operands[0] == weight) return false;
  return axes_of(node, "rhs").size() == 1 && axes_of(node, "rhs_batch").empty();
}

// One number in every element.
bool is_number(const Value* value) {
  if (is_op(value, "constant")) return true;
  return is_op(value, "broadcast") && value->node->operands[0]->type.rank() == 0;
}

// What is updated together: gradients, states, and the elementwise nodes between them.
class Update {
 public:
  Update(const Graph& graph, const Users& users) : graph_(graph), users_(users) {}

  // Finds all that hangs on this gradient; false if any of it is wanted row by row.
  bool collect(const Value* gradient) {
    shape_ = gradient->type.shape;
    return reach(gradient) &&
           std::all_of(values_.begin(), values_.end(), [&](const Value* v) { return closed(v); });
  }

  const std::set<const Value*>& values() const { return values_; }

 private:
  static bool is_state(const Value* value) { return !value->node; }

  bool is_member(const Value* value) const {
    const Node* node = value->node;
    if (!node) {
      return std::any_of(graph_.params.begin(), graph_.params.end(), [&](const Param& param) {
        return param.value.get() == value && param.kind == ir::ParamKind::state;
      });
    }
    return node->op->family == ir::Family::elementwise || is_number(value) || is_gradient(*node);
  }

  // Takes a value in, and what it is computed of, and what is computed of it and is no product.
  bool reach(const Value* value) {
    if (value->type.shape != shape_ || !is_member(value)) return false;
    if (!values_.insert(value).second) return true;
    const Node* node = value->node;
    if (node && node->op->family == ir::Family::elementwise)
      for (const Value* operand : node->operands)
        if (!reach(operand)) return false;
    const auto found = users_.find(value);
    if (found == users_.end()) return true;
    return std::all_of(found->second.begin(), found->second.end(), [&](const Node* user) {
      if (user->op->family == ir::Family::state)
        return reach(user->operands[0]) && reach(user->operands[1]);
      if (is_state(value) && reads_weight(*user, value)) return true;
      return user->op->family == ir::Family::elementwise && reach(user->result());
    });
  }

  // A state that is updated, or a value that is no output.
  bool closed(const Value* value) const {
    for (const ir::Output& output : graph_.outputs)
      if (output.value == value) return false;
    if (!is_state(value)) return true;
    const auto found = users_.find(value);
    return found != users_.end() &&
           std::any_of(found->second.begin(), found->second.end(), [&](const Node* user) {
             return user->op->family == ir::Family::state && user->operands[0] == value;
           });
  }

  const Graph& graph_;
  const Users& users_;
  Shape shape_;
  std::set<const Value*> values_;
};

Shape panels_of(const Shape& shape) {
  return ir::fixed_shape({shape[1].size / width, shape[0].size, width});
}

// The last dimension in two: panels, and columns of one.
Value* split_columns(Builder& b, Value* value) {
  Shape shape;
  for (const Dim& dim : value->type.shape) shape.push_back(dim);
  shape.back().size /= width;
  shape.push_back(Dim{width, false});
  return b.reshape(value, shape);
}

// Panels as the matrix that they are; kernels know this form (kernel/views.h).
Value* as_matrix(Builder& b, Value* panels) {
  const Shape& shape = panels->type.shape;
  return b.reshape(b.transpose(panels, {1, 0, 2}),
                   ir::fixed_shape({shape[1].size, shape[0].size * width}));
}

// Every panel is a product of its own, of the same left side.
Value* gradient_in_panels(const Node& node, Builder& b) {
  Value* right = b.transpose(split_columns(b, node.operands[1]), {1, 0, 2});
  const Shape& left = node.operands[0]->type.shape;
  Value* repeated = b.broadcast(node.operands[0], {right->type.shape[0], left[0], left[1]}, {1, 2});
  return b.contract(repeated, right, {axes_of(node, "lhs")[0] + 1}, {1}, {0}, {0});
}

// By a weight in panels; one that sums along its columns goes panel after panel, in the old order.
Value* product_with_panels(const Node& node, Builder& b) {
  Value* panels = node.operands[1];
  const Axes lhs = axes_of(node, "lhs");
  if (axes_of(node, "rhs") == Axes{0})
    return b.contract(node.operands[0], as_matrix(b, panels), lhs, {0});
  if (lhs[0] != node.operands[0]->type.rank() - 1)
    return b.contract(node.operands[0], as_matrix(b, panels), lhs, {1});
  return b.contract(split_columns(b, node.operands[0]), panels, {lhs[0], lhs[0] + 1}, {0, 2});
}

// A value of an update, in panels; its operands are already.
Value* in_panels(const Node& node, Builder& b) {
  const ir::Type& type = node.result()->type;
  const Shape shape = panels_of(type.shape);
  if (is_op(&node, "constant"))
    return b.constant(node.attributes.number("value"), type.dtype, shape);
  if (is_op(&node, "broadcast")) return b.broadcast(node.operands[0], shape, {});
  if (is_contraction(&node)) return gradient_in_panels(node, b);
  return b.op(node.op->name, node.operands, node.attributes);
}

// Rewrites all readers of `states`, which have become panels, and the values of their updates.
void rewrite_readers(Graph& graph, const std::set<const Value*>& states,
                     const std::set<const Value*>& values) {
  rewrite(graph, [&](Node& node, Builder& b) -> Value* {
    if (node.op->family == ir::Family::state) return nullptr;
    if (values.count(node.result()) > 0) return in_panels(node, b);
    if (is_contraction(&node) && states.count(node.operands[1]) > 0 &&
        states.count(node.operands[0]) == 0 && reads_weight(node, node.operands[1]))
      return product_with_panels(node, b);
    for (Value*& operand : node.operands)
      if (states.count(operand) > 0) operand = as_matrix(b, operand);
    return nullptr;
  });
}

}  // namespace

std::vector<std::string> put_states_in_panels(Graph& step) {
  // Longer sums want their right side packed, which products with panels cannot.
  if (step.batch > kernel::longest_unpacked_sum) return {};
  const Users users = ir::users_of(step);
  std::set<const Value*> values, states;
  for (const auto& node : step.nodes) {
    if (!is_gradient(*node) || values.count(node->result()) > 0) continue;
    Update update(step, users);
    if (update.collect(node->result()))
      values.insert(update.values().begin(), update.values().end());
  }
  std::vector<std::string> names;
  for (Param& param : step.params) {
    if (values.count(param.value.get()) == 0) continue;
    names.push_back(param.external_name);
    states.insert(param.value.get());
    param.value->type.shape = panels_of(param.value->type.shape);
  }
  if (!names.empty()) rewrite_readers(step, states, values);
  return names;
}

void read_states_in_panels(Graph& graph, const std::vector<std::string>& names) {
  std::set<const Value*> states;
  for (const std::string& name : names)
    if (Value* state = graph.find_param(ir::ParamKind::state, name)) {
      states.insert(state);
      state->type.shape = panels_of(state->type.shape);
    }
  if (!states.empty()) rewrite_readers(graph, states, {});
}

}  // namespace nnc::passes
