// Weight gradients of pictures with the batch last sum over all rows. They become sums over blocks
// of rows, which are added up: a thread then reads the pictures that it has written itself, rather
// than those of all rows for its share of the weights. The blocks follow from the shape alone.
#include <algorithm>

#include "compiler/kernel/contraction_map.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

namespace {

constexpr int64_t most_rows = 32;  // of a part
// Rows of a part come in multiples of what a vector holds.
constexpr int64_t granule = 16;

}  // namespace

bool sum_in_parts(ir::Graph& graph) {
  const int64_t half = (graph.batch + 2 * granule - 1) / (2 * granule) * granule;
  const int64_t length = std::min(most_rows, half);
  const int64_t parts = (graph.batch + length - 1) / length;
  if (parts < 2) return false;
  return rewrite(graph, [&](ir::Node& node, ir::Builder& b) -> ir::Value* {
    if (node.op->family != ir::Family::contraction || node.attributes.has("parts")) return nullptr;
    const auto map = kernel::map_contraction(node);
    if (!map || map->form != kernel::ContractionForm::dot) return nullptr;
    ir::Attributes attributes = node.attributes;
    attributes.set("parts", parts);
    attributes.set("part_length", length);
    ir::Value* sums = b.op(node.op->name, node.operands, attributes);
    return b.op("reduce_sum", {sums}, {{"axes", std::vector<int64_t>{0}}});
  });
}

}  // namespace nnc::passes
