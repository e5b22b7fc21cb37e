#include "compiler/layers/random.h"

namespace nnc::layers {

// An evaluation stands at no step: 0, which training never has.
ir::Value* random_numbers(ir::Builder& b, Mode mode, const std::string& op, const ir::Type& type,
                          const std::string& path) {
  ir::Graph& graph = b.graph();
  std::vector<ir::Value*> operands{exact_scalar(graph, "seed")};
  if (mode == Mode::train) {
    operands.push_back(exact_scalar(graph, "step"));
  } else {
    operands.push_back(b.constant(0, ir::DType::f64));
    operands.push_back(exact_scalar(graph, "first_row"));
  }
  return b.op(op, operands,
              {{"shape", type.shape},
               {"dtype", type.dtype},
               {"stream", static_cast<int64_t>(stream_of(path))}});
}

ir::Value* exact_scalar(ir::Graph& graph, const std::string& name) {
  if (ir::Value* known = graph.find_param(ir::ParamKind::scalar, name)) return known;
  return graph.add_param(ir::ParamKind::scalar, name, ir::Type{ir::DType::f64, {}}, name);
}

ir::Value* random_uniform(const LayerContext& context, const ir::Shape& shape,
                          const std::string& purpose) {
  return context.random.draw("random_uniform", shape, context.name + ":" + purpose);
}

ir::Value* random_normal(const LayerContext& context, const ir::Shape& shape,
                         const std::string& purpose) {
  return context.random.draw("random_normal", shape, context.name + ":" + purpose);
}

}  // namespace nnc::layers
