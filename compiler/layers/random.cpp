#include "compiler/layers/random.h"

namespace nnc::layers {

namespace {

// A run-time number that is exact: f64 whatever the model's dtype.
ir::Value* exact_scalar(ir::Graph& graph, const std::string& name) {
  if (ir::Value* known = graph.find_param(ir::ParamKind::scalar, name)) return known;
  return graph.add_param(ir::ParamKind::scalar, name, ir::Type{ir::DType::f64, {}}, name);
}

}  // namespace

ir::Value* random_uniform(ir::Builder& b, ir::DType dtype, const ir::Shape& shape, int64_t stream) {
  ir::Graph& graph = b.graph();
  return b.op("random_uniform", {exact_scalar(graph, "seed"), exact_scalar(graph, "step")},
              {{"shape", shape}, {"dtype", dtype}, {"stream", stream}});
}

}  // namespace nnc::layers
