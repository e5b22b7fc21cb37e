#include "compiler/layers/random.h"

namespace nnc::layers {

namespace {

ir::Value* random(ir::Builder& b, const char* op, ir::DType dtype, const ir::Shape& shape,
                  int64_t stream) {
  ir::Graph& graph = b.graph();
  return b.op(op, {exact_scalar(graph, "seed"), exact_scalar(graph, "step")},
              {{"shape", shape}, {"dtype", dtype}, {"stream", stream}});
}

}  // namespace

ir::Value* exact_scalar(ir::Graph& graph, const std::string& name) {
  if (ir::Value* known = graph.find_param(ir::ParamKind::scalar, name)) return known;
  return graph.add_param(ir::ParamKind::scalar, name, ir::Type{ir::DType::f64, {}}, name);
}

ir::Value* random_uniform(ir::Builder& b, ir::DType dtype, const ir::Shape& shape, int64_t stream) {
  return random(b, "random_uniform", dtype, shape, stream);
}

ir::Value* random_normal(ir::Builder& b, ir::DType dtype, const ir::Shape& shape, int64_t stream) {
  return random(b, "random_normal", dtype, shape, stream);
}

}  // namespace nnc::layers
