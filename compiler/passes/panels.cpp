// Weights of a dense layer that is wide lie in panels: [k, n] becomes [n / width, k, width], once
// (prelude.h). Rows of a wide matrix are far apart, and if that is a power of two, the columns that
// a tile reads fall on few sets of the caches; a panel is one run of memory, which one row of the
// batch reads from start to end as well. The sums are the same to the bit.
#include "compiler/kernel/views.h"
#include "compiler/passes/axes.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"
#include "compiler/passes/weights.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;

namespace {

// Fewer columns are one panel; fewer rows are read too quickly.
constexpr int64_t wide = 2 * kernel::panel_width, deep = 64;

bool plain_product(const Node& node) {
  if (node.op->family != ir::Family::contraction || node.operands[1]->type.rank() != 2)
    return false;
  return axes_of(node, "rhs") == Axes{0} && axes_of(node, "rhs_batch").empty();
}

Value* in_panels(const Node& node, Builder& b) {
  const Value* weights = node.operands[1];
  if (kernel::panels_in_base(weights)) return nullptr;
  const int64_t k = weights->type.shape[0].size, n = weights->type.shape[1].size;
  if (k < deep || n < wide || n % kernel::panel_width != 0) return nullptr;
  const ir::Shape parts = ir::fixed_shape({k, n / kernel::panel_width, kernel::panel_width});
  Value* panels = b.unary("copy", b.transpose(b.reshape(node.operands[1], parts), {1, 0, 2}));
  Value* seen = b.reshape(b.transpose(panels, {1, 0, 2}), weights->type.shape);
  return b.contract(node.operands[0], seen, axes_of(node, "lhs"), {0});
}

}  // namespace

bool put_weights_in_panels(ir::Graph& graph) {
  WeightValues weights(graph);
  return rewrite(graph, [&](Node& node, Builder& b) -> Value* {
    if (!plain_product(node) || !weights.from_states(node.operands[1])) return nullptr;
    return in_panels(node, b);
  });
}

}  // namespace nnc::passes
