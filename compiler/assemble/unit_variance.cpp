#include "compiler/assemble/unit_variance.h"

#include <map>

#include "compiler/ir/builder.h"

namespace nnc::assemble {

namespace {

using ir::Value;

// Mean over all axes but the batch: [b, 1].
Value* row_mean(ir::Builder& b, Value* value) {
  std::vector<int64_t> axes;
  double count = 1;
  for (int64_t i = 0; i < value->type.rank(); ++i) {
    const ir::Dim& dim = value->type.shape[static_cast<size_t>(i)];
    if (dim.batch) continue;
    axes.push_back(i);
    count *= static_cast<double>(dim.size);
  }
  Value* sum = axes.empty() ? value : b.sum(value, axes);
  return b.reshape(b.mul(sum, 1 / count), {ir::Dim{1, true}, ir::Dim{1, false}});
}

}  // namespace

bool watch_products(Forward& forward) {
  ir::Graph& graph = *forward.graph;
  std::map<const Value*, std::string> kernels;
  for (const abi::StateDesc& state : forward.states) {
    if (state.initial.unit_variance) {
      kernels[graph.find_param(ir::ParamKind::state, state.name)] = state.name;
    }
  }
  if (kernels.empty()) return false;
  graph.outputs.clear();
  ir::Builder b(graph);
  for (const auto& [kernel, product] : forward.products) {
    const auto found = kernels.find(kernel);
    if (found == kernels.end()) continue;
    Value* moments = b.concat({row_mean(b, product), row_mean(b, b.mul(product, product))}, 1);
    graph.add_output(found->second, moments);
    kernels.erase(found);
  }
  graph.remove_dead();
  return true;
}

}  // namespace nnc::assemble
