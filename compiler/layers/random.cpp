#include "compiler/layers/random.h"

namespace nnc::layers {

namespace {

// An evaluation stands at no step: 0, which training never has.
ir::Value* random(const LayerContext& context, const char* op, const ir::Shape& shape,
                  const std::string& purpose) {
  ir::Builder& b = context.b;
  ir::Graph& graph = b.graph();
  std::vector<ir::Value*> operands{exact_scalar(graph, "seed")};
  if (context.mode == Mode::train) {
    operands.push_back(exact_scalar(graph, "step"));
  } else {
    operands.push_back(b.constant(0, ir::DType::f64));
    operands.push_back(exact_scalar(graph, "first_row"));
  }
  return b.op(op, operands,
              {{"shape", shape}, {"dtype", context.dtype}, {"stream", context.stream(purpose)}});
}

}  // namespace

ir::Value* exact_scalar(ir::Graph& graph, const std::string& name) {
  if (ir::Value* known = graph.find_param(ir::ParamKind::scalar, name)) return known;
  return graph.add_param(ir::ParamKind::scalar, name, ir::Type{ir::DType::f64, {}}, name);
}

ir::Value* random_uniform(const LayerContext& context, const ir::Shape& shape,
                          const std::string& purpose) {
  return random(context, "random_uniform", shape, purpose);
}

ir::Value* random_normal(const LayerContext& context, const ir::Shape& shape,
                         const std::string& purpose) {
  return random(context, "random_normal", shape, purpose);
}

}  // namespace nnc::layers
