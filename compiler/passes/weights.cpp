#include "compiler/passes/weights.h"

#include <algorithm>

namespace nnc::passes {

WeightValues::WeightValues(const ir::Graph& graph) {
  for (const ir::Param& param : graph.params)
    known_[param.value.get()] = param.kind == ir::ParamKind::state ? Kind::state : Kind::other;
}

WeightValues::Kind WeightValues::kind(const ir::Value* value) {
  if (const auto it = known_.find(value); it != known_.end()) return it->second;
  Kind result = Kind::constant;
  for (const ir::Value* operand : value->node->operands) result = std::max(result, kind(operand));
  for (const ir::Dim& dim : value->type.shape)
    if (dim.batch) result = Kind::other;
  return known_[value] = result;
}

}  // namespace nnc::passes
