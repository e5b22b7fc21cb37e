// Kernels fold either the trailing axes of a value (along vectors) or its other axes (serially per
// element). A reduction over both becomes two; one over everything is split so that its first half
// has rows to share among threads.
#include "compiler/kernel/views.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

namespace {

// Folding fewer elements than this at once is quicker than two kernels.
constexpr int64_t small_fold = 4096;

size_t trailing_run(const std::vector<int64_t>& axes, int64_t rank) {
  size_t run = 0;
  while (run < axes.size() && axes[axes.size() - 1 - run] == rank - 1 - static_cast<int64_t>(run))
    ++run;
  return run;
}

// Sums down columns over several axes (pixels and rows, say) are taken apart from the inside: the
// kernels then fold at most `long_fold` elements in one chain, and have rows to share.
constexpr int64_t long_fold = 1024;
constexpr int64_t short_fold = 16;  // not worth a kernel of its own

// How many of `axes`, counted from the last one, are folded first; all of them where it is not
// worth while. Batch rows, however many there are, come last: the order of sums follows from
// shapes, not from the batch.
size_t first_folds(const ir::Value* in, const std::vector<int64_t>& axes) {
  int64_t elements = 1;
  size_t count = 0;
  for (size_t i = axes.size(); i-- > 0; ++count) {
    const ir::Dim& dim = in->type.shape[static_cast<size_t>(axes[i])];
    if (dim.batch || (count > 0 && elements * dim.size > long_fold)) break;
    elements *= dim.size;
  }
  const bool worth = elements >= short_fold && count > 0;
  return worth ? count : axes.size();
}

// A column of one channel is a row: axes of extent 1 behind the folded ones are left out. Null if
// there are none.
ir::Value* without_last_ones(const ir::Node& node, ir::Builder& b) {
  ir::Value* in = node.operands[0];
  const auto axes = node.attributes.integers("axes");
  ir::Shape shape = in->type.shape;
  while (!axes.empty() && static_cast<int64_t>(shape.size()) > axes.back() + 1 &&
         shape.back() == ir::Dim{1, false})
    shape.pop_back();
  if (axes.empty() || static_cast<int64_t>(shape.size()) != axes.back() + 1 ||
      shape.size() == in->type.shape.size())
    return nullptr;
  ir::Value* folded = b.op(node.op->name, {b.reshape(in, shape)}, {{"axes", axes}});
  return b.reshape(folded, node.result()->type.shape);
}

ir::Value* in_two(const ir::Node& node, size_t last, ir::Value* in, ir::Builder& b) {
  const auto axes = node.attributes.integers("axes");
  const auto middle = axes.end() - static_cast<long>(last);
  ir::Value* inner =
      b.op(node.op->name, {in}, {{"axes", std::vector<int64_t>(middle, axes.end())}});
  return b.op(node.op->name, {inner}, {{"axes", std::vector<int64_t>(axes.begin(), middle)}});
}

// With the batch last, pixels are folded before rows, and rows where they come first: threads then
// fold pixels that they wrote. How many
// axes come first: the inner ones of up to `long_fold` elements, and one at least.
size_t pixels_before_rows(const ir::Value* in, const std::vector<int64_t>& axes) {
  if (!kernel::counts_rows_last(in->type.shape) || axes.size() < 2 ||
      axes.size() == in->type.shape.size())
    return 0;
  int64_t elements = 1;
  size_t count = 0;
  for (size_t i = axes.size() - 1; i-- > 0; ++count) {
    elements *= in->type.shape[static_cast<size_t>(axes[i])].size;
    if (count > 0 && elements > long_fold) break;
  }
  return count;
}

ir::Value* pixels_first(const ir::Node& node, size_t count, ir::Builder& b) {
  const auto axes = node.attributes.integers("axes");
  const auto end = axes.end() - 1, first = end - static_cast<long>(count);
  ir::Value* inner =
      b.op(node.op->name, {node.operands[0]}, {{"axes", std::vector<int64_t>(first, end)}});
  std::vector<int64_t> rest(axes.begin(), first);
  if (rest.empty() && inner->type.rank() == 2) {
    inner = b.unary("copy", b.transpose(inner, {1, 0}));
    rest = {0};
  } else {
    rest.push_back(inner->type.rank() - 1);
  }
  return b.op(node.op->name, {inner}, {{"axes", rest}});
}

}  // namespace

bool split_reductions(ir::Graph& graph) {
  bool changed = false;
  const auto once = [&](ir::Node& node, ir::Builder& b) -> ir::Value* {
    if (node.op->family != ir::Family::reduction) return nullptr;
    if (ir::Value* row = without_last_ones(node, b)) return row;
    const auto axes = node.attributes.integers("axes");
    ir::Value* in = node.operands[0];
    const int64_t rank = in->type.rank();
    size_t run = trailing_run(axes, rank);
    if (const size_t pixels = pixels_before_rows(in, axes); pixels > 0 && run == axes.size())
      return pixels_first(node, pixels, b);
    if (run == axes.size() && run == static_cast<size_t>(rank) && rank > 1 &&
        in->type.elements(graph.batch) > small_fold)
      run = 1;
    if (run == 0) run = first_folds(in, axes);
    return run == axes.size() ? nullptr : in_two(node, run, in, b);
  };
  while (rewrite(graph, once)) changed = true;
  return changed;
}

}  // namespace nnc::passes
