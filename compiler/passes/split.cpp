// Kernels fold either the trailing axes of a value (along vectors) or its other axes (serially per
// element). A reduction over both becomes two; one over everything is split so that its first half
// has rows to share among threads.
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

}  // namespace

bool split_reductions(ir::Graph& graph) {
  return rewrite(graph, [&](ir::Node& node, ir::Builder& b) -> ir::Value* {
    if (node.op->family != ir::Family::reduction) return nullptr;
    const auto axes = node.attributes.integers("axes");
    ir::Value* in = node.operands[0];
    const int64_t rank = in->type.rank();
    size_t run = trailing_run(axes, rank);
    if (run == axes.size() && run == static_cast<size_t>(rank) && rank > 1 &&
        in->type.elements(graph.batch) > small_fold)
      run = 1;
    if (run == 0 || run == axes.size()) return nullptr;
    const std::vector<int64_t> last(axes.end() - static_cast<long>(run), axes.end());
    const std::vector<int64_t> rest(axes.begin(), axes.end() - static_cast<long>(run));
    ir::Value* inner = b.op(node.op->name, {in}, {{"axes", last}});
    return b.op(node.op->name, {inner}, {{"axes", rest}});
  });
}

}  // namespace nnc::passes
