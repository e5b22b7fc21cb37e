// What each node becomes when the first and last dimensions of its pictures are exchanged.
#include <algorithm>

#include "compiler/kernel/chains.h"
#include "compiler/kernel/views.h"
#include "compiler/passes/axes.h"
#include "compiler/passes/lanes.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes::lanes {

using ir::Attributes;
using ir::Builder;
using ir::Dim;
using ir::Family;
using ir::Node;
using ir::Shape;
using ir::Value;

namespace {

using List = std::vector<int64_t>;

constexpr Dim one_row{1, true};

template <typename Items>
Items exchanged(Items items) {
  std::swap(items.front(), items.back());
  return items;
}

int64_t exchanged_axis(int64_t axis, int64_t rank) {
  if (axis == 0) return rank - 1;
  return axis == rank - 1 ? 0 : axis;
}

bool in_the_middle(const List& axes, int64_t rank) {
  return std::all_of(axes.begin(), axes.end(),
                     [&](int64_t axis) { return axis > 0 && axis < rank - 1; });
}

// Behind the axes are at most dimensions of one element: their elements lie side by side, and a sum
// over them goes through 16 lanes. With the batch last it would have another order.
bool is_along_rows(const List& axes, const Shape& shape) {
  auto left = static_cast<int64_t>(axes.size());
  for (int64_t axis = static_cast<int64_t>(shape.size()) - 1; left > 0 && axis > 0; --axis) {
    if (contains(axes, axis)) {
      --left;
    } else if (shape[static_cast<size_t>(axis)] != Dim{}) {
      return false;
    }
  }
  return true;
}

bool is_reduction_of_channels(const Node& node) {
  const List axes = axes_of(node, "axes");
  return axes.size() + 1 == node.operands[0]->type.shape.size() && !axes.empty() &&
         axes.back() + 1 == static_cast<int64_t>(axes.size());
}

bool without_rows(const Value* value) {
  return std::none_of(value->type.shape.begin(), value->type.shape.end(),
                      [](const Dim& dim) { return dim.batch; });
}

int64_t summed_elements(const Node& contract, int64_t batch) {
  int64_t count = 1;
  const Shape& left = contract.operands[0]->type.shape;
  for (int64_t axis : axes_of(contract, "lhs"))
    count *= left[static_cast<size_t>(axis)].extent(batch);
  return count;
}

// x[b, …, C] · w[…, C, O]: forward, or a gradient with respect to the input. Kernels with the batch
// last add such a sum up in one chain.
bool is_product(const Node& node) {
  const Value *left = node.operands[0], *right = node.operands[1];
  const List lhs = axes_of(node, "lhs");
  return axes_of(node, "lhs_batch").empty() && is_picture(left) && is_picture(node.result()) &&
         without_rows(right) && !contains(lhs, 0) && contains(lhs, left->type.rank() - 1) &&
         summed_elements(node, 1) <= kernel::longest_sum &&
         free_axes(right, axes_of(node, "rhs")).size() == 1;
}

// Σ over rows and pixels of x[b, …, C] · y[b, …, O].
bool is_weight_gradient(const Node& node) {
  const List lhs = axes_of(node, "lhs"), rhs = axes_of(node, "rhs");
  if (!axes_of(node, "lhs_batch").empty() || !is_picture(node.operands[0]) ||
      !is_picture(node.operands[1]) || !contains(lhs, 0))
    return false;
  return rhs[static_cast<size_t>(std::find(lhs.begin(), lhs.end(), 0) - lhs.begin())] == 0 &&
         !contains(rhs, node.operands[1]->type.rank() - 1);
}

bool exchangeable_movement(const Node& node) {
  const Shape& to = node.result()->type.shape;
  if (!is_picture(node.result())) return false;
  if (node.op->name == "broadcast") {
    const List axes = axes_of(node, "axes");
    return has_rows(node.operands[0]) && axes.size() >= 2 && axes.front() == 0 &&
           axes.back() + 1 == node.result()->type.rank() &&
           node.operands[0]->type.shape.back() == to.back();
  }
  if (!is_picture(node.operands[0])) return false;
  const Shape& from = node.operands[0]->type.shape;
  if (node.op->name == "reshape") return from.front() == to.front() && from.back() == to.back();
  if (node.op->name == "transpose") {
    const List order = axes_of(node, "permutation");
    return order.front() == 0 && order.back() + 1 == node.result()->type.rank();
  }
  if (node.op->name == "window")
    return in_the_middle(axes_of(node, "axes"), node.operands[0]->type.rank());
  if (node.op->name != "slice") return false;
  // A place in a picture is no number when the strides count rows.
  const List starts = axes_of(node, "starts"), steps = axes_of(node, "steps");
  return std::all_of(starts.begin(), starts.end(), [](int64_t start) { return start == 0; }) &&
         std::all_of(steps.begin(), steps.end(), [](int64_t step) { return step > 0; });
}

void exchange_list(Attributes& attributes, const char* key, size_t rank) {
  if (!attributes.has(key)) return;
  List list = attributes.integers(key);
  for (size_t first = 0; first + rank <= list.size(); first += rank)
    std::swap(list[first], list[first + rank - 1]);
  attributes.set(key, list);
}

// Lists of one number for each dimension, and shapes.
Attributes exchanged_attributes(const Node& node, size_t rank) {
  Attributes attributes = node.attributes;
  if (attributes.has("shape")) attributes.set("shape", exchanged(attributes.shape("shape")));
  for (const char* key : {"low", "high", "starts", "steps"}) exchange_list(attributes, key, rank);
  return attributes;
}

}  // namespace

bool has_rows(const Value* value) {
  const Shape& shape = value->type.shape;
  return shape.size() >= 2 && shape.front() == one_row &&
         std::none_of(shape.begin() + 1, shape.end(), [](const Dim& dim) { return dim.batch; });
}

bool is_picture(const Value* value) { return value->type.rank() >= 3 && has_rows(value); }

List exchanged_order(int64_t rank) {
  List order;
  for (int64_t axis = 0; axis < rank; ++axis) order.push_back(exchanged_axis(axis, rank));
  return order;
}

bool is_convolution(const Node& node) {
  return is_op(&node, "contract") && shows_windows(node.operands[0]) &&
         (is_product(node) || is_weight_gradient(node));
}

bool is_exchangeable(const Node& node) {
  if (node.results.size() != 1) return false;
  switch (node.op->family) {
    case Family::elementwise: return is_picture(node.result());
    case Family::reduction:
      return is_picture(node.operands[0]) &&
             ((in_the_middle(axes_of(node, "axes"), node.operands[0]->type.rank()) &&
               !is_along_rows(axes_of(node, "axes"), node.operands[0]->type.shape)) ||
              is_reduction_of_channels(node));
    case Family::movement: return exchangeable_movement(node);
    case Family::placement:
      return node.op->name != "fold" && is_picture(node.result()) &&
             std::all_of(node.operands.begin(), node.operands.end(),
                         [](const Value* v) { return is_picture(v); });
    case Family::contraction: return is_product(node) || is_weight_gradient(node);
    default: return false;
  }
}

double multiplications(const Node& contract, int64_t batch) {
  return static_cast<double>(contract.result()->type.elements(batch)) *
         static_cast<double>(summed_elements(contract, batch));
}

// --- Exchange ---

Value* Exchange::node(const Node& node, Builder& b) {
  if (node.op->family == Family::contraction)
    return is_product(node) ? product(node, b) : weight_gradient(node, b);
  std::vector<Value*> operands;
  for (Value* operand : node.operands) operands.push_back(of(operand, b));
  const auto rank = static_cast<size_t>(node.result()->type.rank());
  if (node.op->family == Family::elementwise) return elementwise(node, operands, b);
  Attributes attributes = exchanged_attributes(node, rank);
  if (node.op->name == "concat")
    attributes.set("axis", exchanged_axis(attributes.integer("axis"), node.result()->type.rank()));
  if (node.op->family == Family::reduction && is_reduction_of_channels(node)) {
    operands[0] = apart(operands[0]);
    List axes;
    for (int64_t axis = 1; axis < operands[0]->type.rank(); ++axis) axes.push_back(axis);
    attributes.set("axes", axes);
  }
  return b.op(node.op->name, operands, attributes);
}

// A value that was computed with more dimensions and is seen with fewer, as it was computed.
Value* Exchange::apart(Value* value) const {
  return apart_.count(value) ? value->node->operands[0] : value;
}

// What is repeated for each pixel of a block (the gradient of pooling) cannot be seen with fewer
// dimensions than the blocks have: the arithmetic on it has these dimensions then, and its result
// is seen with fewer.
Value* Exchange::elementwise(const Node& node, std::vector<Value*> operands, Builder& b) {
  const Value* blocks = nullptr;
  for (const Value* v : operands)
    if (is_op(v, "reshape") && (apart_.count(v) || !kernel::view_in_base(v)))
      blocks = v->node->operands[0];
  if (!blocks) return b.op(node.op->name, operands, node.attributes);
  const Shape together = operands[0]->type.shape, shape = blocks->type.shape;
  for (Value*& operand : operands) {
    if (is_op(operand, "constant")) {
      Attributes attributes = operand->node->attributes;
      attributes.set("shape", shape);
      operand = b.op("constant", {}, attributes);
    } else if (is_op(operand, "reshape") && operand->node->operands[0]->type.shape == shape) {
      operand = operand->node->operands[0];
    } else {
      operand = b.reshape(operand, shape);
    }
  }
  Value* result = b.reshape(b.op(node.op->name, operands, node.attributes), together);
  if (is_op(result, "reshape")) apart_.insert(result);
  return result;
}

Value* Exchange::of(Value* value, Builder& b) {
  if (auto it = known_.find(value); it != known_.end()) return it->second;
  Value* result = nullptr;
  const int64_t rank = value->type.rank();
  if (is_op(value, "constant")) {
    result = b.op("constant", {}, exchanged_attributes(*value->node, static_cast<size_t>(rank)));
  } else if (is_op(value, "iota")) {
    Attributes attributes = exchanged_attributes(*value->node, static_cast<size_t>(rank));
    attributes.set("axis", exchanged_axis(attributes.integer("axis"), rank));
    result = b.op("iota", {}, attributes);
  } else if (is_op(value, "broadcast") && without_rows(value->node->operands[0])) {
    result = repeated(*value->node, b);
  } else {
    result = copied(value, b);
  }
  return known_[value] = result;
}

// One copy through a matrix, whose rows become columns: [b, H·W·C] to [H·W·C, b], seen as
// [C, H, W, b].
Value* Exchange::copied(Value* value, Builder& b) {
  const Shape& shape = value->type.shape;
  const Shape rest(shape.begin() + 1, shape.end());
  Value* matrix = b.reshape(value, {shape[0], ir::product(rest)});
  Value* columns = b.unary("copy", b.transpose(matrix, {1, 0}));
  Shape apart = rest;
  apart.push_back(shape[0]);
  const auto rank = static_cast<int64_t>(shape.size());
  List order{rank - 2};
  for (int64_t axis = 0; axis + 2 < rank; ++axis) order.push_back(axis);
  order.push_back(rank - 1);
  return b.transpose(b.reshape(columns, apart), order);
}

// A value without rows, repeated for each row.
Value* Exchange::repeated(const Node& broadcast, Builder& b) {
  const int64_t rank = broadcast.result()->type.rank();
  List axes = axes_of(broadcast, "axes"), order;
  for (int64_t& axis : axes) {
    axis = exchanged_axis(axis, rank);
    order.push_back(static_cast<int64_t>(order.size()));
  }
  std::sort(order.begin(), order.end(), [&](int64_t x, int64_t y) {
    return axes[static_cast<size_t>(x)] < axes[static_cast<size_t>(y)];
  });
  std::sort(axes.begin(), axes.end());
  return b.broadcast(b.transpose(broadcast.operands[0], order),
                     exchanged(broadcast.result()->type.shape), axes);
}

// The weights on the left, whose one free axis comes first then; the same order of the sum.
Value* Exchange::product(const Node& contract, Builder& b) {
  Value* pictures = of(contract.operands[0], b);
  List summed = axes_of(contract, "lhs");
  for (int64_t& axis : summed) axis = exchanged_axis(axis, pictures->type.rank());
  return b.contract(contract.operands[1], pictures, axes_of(contract, "rhs"), summed);
}

namespace {

// The exchanged operand with its free axes in their old order, then those that are summed, and the
// rows last.
Value* summed_last(Value* operand, const List& summed, Builder& b) {
  const int64_t rank = operand->type.rank();
  List order;
  for (int64_t axis : free_axes(operand, summed)) order.push_back(exchanged_axis(axis, rank));
  for (int64_t axis : summed)
    if (axis != 0) order.push_back(exchanged_axis(axis, rank));
  order.push_back(rank - 1);
  return b.transpose(operand, order);
}

List last_axes(int64_t rank, size_t count) {
  List axes;
  for (size_t i = 0; i < count; ++i)
    axes.push_back(rank - static_cast<int64_t>(count) + static_cast<int64_t>(i));
  return axes;
}

}  // namespace

// Sums over the pixels, and over the rows last: along vectors.
Value* Exchange::weight_gradient(const Node& contract, Builder& b) {
  const List lhs = axes_of(contract, "lhs"), rhs = axes_of(contract, "rhs");
  Value* left = summed_last(of(contract.operands[0], b), lhs, b);
  Value* right = summed_last(of(contract.operands[1], b), rhs, b);
  return b.contract(left, right, last_axes(left->type.rank(), lhs.size()),
                    last_axes(right->type.rank(), rhs.size()));
}

}  // namespace nnc::passes::lanes
