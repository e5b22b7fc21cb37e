#include "compiler/kernel/stripes.h"

#include <algorithm>

#include "compiler/kernel/contraction_map.h"
#include "compiler/kernel/views.h"
#include "runtime/abi.h"

namespace nnc::kernel {

namespace {

bool is_striped(const ir::Value& value) { return counts_rows_last(value.type.shape); }

// Rows of a part of the group's product, if it sums over rows; else 0.
int64_t part_of_rows(const ir::Node& group) {
  for (const auto& node : group.region->nodes)
    if (node->op->family == ir::Family::contraction)
      if (const auto map = map_contraction(*node); map && map->part_length > 0)
        return map->part_length;
  return 0;
}

bool sums_stripes(const ir::Node& group) {
  return part_of_rows(group) > 0 &&
         std::all_of(group.operands.begin(), group.operands.end(), [](const ir::Value* operand) {
           return is_striped(*operand) || !ir::has_batch(operand->type.shape);
         });
}

}  // namespace

int64_t stripes_together(int64_t batch, int64_t rows) {
  constexpr int64_t most_rows = 64;
  return std::max<int64_t>(std::min(most_rows, (batch + 1) / 2) / rows, 1);
}

size_t bytes_of_rows(const ir::Value& value, int64_t rows) {
  return whole_lines(static_cast<size_t>(value.type.elements(rows)) *
                     abi::size_of(value.type.dtype));
}

Value place_of_stripe(Builder& k, const ir::Value& value, const Stripes& stripes, Value number) {
  const auto i64 = [&](auto n) { return k.i64(static_cast<int64_t>(n)); };
  if (stripes.together == 1) return k.mul(number, i64(stripes.bytes));
  const Value band = k.div(number, i64(stripes.together));
  const Value inside = k.binary(Op::rem, number, i64(stripes.together));
  return k.add(k.mul(band, i64(stripes.bytes)),
               k.mul(inside, i64(bytes_of_rows(value, stripes.rows))));
}

bool touches_stripes(const ir::Node& group) {
  const auto& results = group.results;
  return std::any_of(group.operands.begin(), group.operands.end(),
                     [](const ir::Value* operand) { return is_striped(*operand); }) ||
         std::any_of(results.begin(), results.end(),
                     [](const auto& result) { return is_striped(*result); });
}

int64_t find_stripe_rows(const ir::Graph& graph, const std::vector<GroupFacts>& groups) {
  const auto& outputs = graph.outputs;
  if (!updates_states(graph) ||
      std::any_of(outputs.begin(), outputs.end(),
                  [](const ir::Output& output) { return is_striped(*output.value); }))
    return 0;
  int64_t rows = 0;
  for (const GroupFacts& group : groups) {
    if (!touches_stripes(*group.node)) continue;
    if (sums_stripes(*group.node)) {
      rows = part_of_rows(*group.node);
    } else if (!keeps_rows(group)) {
      return 0;
    }
  }
  return rows;
}

}  // namespace nnc::kernel
