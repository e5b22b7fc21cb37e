// The weight gradient of a convolution sums over pixels and rows. As one product it cannot begin
// before all rows are there: what it reads is written and fetched again from far away. Where a
// gradient is small beside one row's operands, each row has a gradient of its own instead, taken
// while its pixels are near, and these are added up.
#include "compiler/kernel/views.h"
#include "compiler/passes/axes.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;

namespace {

// How many times as large the operands of a row have to be, and how many pixels it needs to sum.
constexpr int64_t times_larger = 6, many_pixels = 64;

int64_t elements_of_row(const Value* value) { return kernel::base_of(value)->type.elements(1); }

bool is_picture(const Value* value) {
  return value->type.rank() > 2 && value->type.shape.front().batch;
}

bool pays(const Node& contract) {
  const Value *left = contract.operands[0], *right = contract.operands[1];
  int64_t pixels = 1;
  for (int64_t axis : axes_of(contract, "rhs"))
    if (axis != 0) pixels *= right->type.shape[static_cast<size_t>(axis)].size;
  const int64_t operands = elements_of_row(left) + elements_of_row(right);
  return pixels >= many_pixels && times_larger * contract.result()->type.elements(1) <= operands;
}

Axes without_rows(const Axes& axes) { return Axes(axes.begin() + 1, axes.end()); }

Value* by_rows(const Node& node, Builder& b) {
  if (!is_op(&node, "contract") || !axes_of(node, "lhs_batch").empty()) return nullptr;
  Value *left = node.operands[0], *right = node.operands[1];
  const Axes lhs = axes_of(node, "lhs"), rhs = axes_of(node, "rhs");
  if (!is_picture(left) || !is_picture(right) || lhs.front() != 0 || rhs.front() != 0 ||
      !pays(node))
    return nullptr;
  return b.sum(b.contract(left, right, without_rows(lhs), without_rows(rhs), {0}, {0}), {0});
}

}  // namespace

bool take_gradients_by_rows(ir::Graph& graph) {
  return rewrite(graph, [](Node& node, Builder& b) { return by_rows(node, b); });
}

}  // namespace nnc::passes
