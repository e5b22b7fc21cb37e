#include "tests/support/mlp_step.h"

#include "compiler/autodiff/autodiff.h"
#include "compiler/ir/builder.h"
#include "compiler/passes/pass.h"

namespace nnc::test {

using namespace nnc::ir;

std::unique_ptr<Graph> mlp_step(const std::vector<int64_t>& sizes, int64_t batch) {
  auto graph = std::make_unique<Graph>("step", batch);
  Builder b(*graph);
  const Dim rows{1, true};
  auto state = [&](const std::string& name, const std::vector<int64_t>& shape) {
    return graph->add_param(ParamKind::state, name, {DType::f32, fixed_shape(shape)}, name);
  };
  Value* x = graph->add_param(ParamKind::input, "x", {DType::u8, {rows, {sizes[0], false}}}, "x");
  Value* t = graph->add_param(ParamKind::input, "t", {DType::i32, {rows}}, "t");
  Value* rate = graph->add_param(ParamKind::scalar, "rate", {DType::f32, {}}, "rate");
  Value* h = b.mul(b.cast(x, DType::f32), 1.0 / 255);
  std::vector<Value*> parameters;
  for (size_t i = 1; i < sizes.size(); ++i) {
    parameters.push_back(state("w" + std::to_string(i), {sizes[i - 1], sizes[i]}));
    parameters.push_back(state("b" + std::to_string(i), {sizes[i]}));
    h = b.add(b.matmul(h, parameters[parameters.size() - 2]), parameters.back());
    if (i + 1 < sizes.size()) h = b.unary("relu", h);
  }
  Value* e = b.unary("exp", h);
  Value* p = b.div(e, b.sum(e, {1}, true));
  Value* classes = b.iota(h->type.shape, 1, DType::i32);
  Value* target = b.broadcast(t, h->type.shape, {0});
  Value* hot = b.cast(b.compare("eq", classes, target), DType::f32);
  Value* loss = b.neg(b.sum(b.mul(hot, b.unary("log", p)), {1}));
  graph->add_output("loss", loss);
  passes::run_passes(*graph, passes::canonical_passes());
  const auto gradients = autodiff::gradients(*graph, graph->outputs.front().value, parameters);
  for (size_t i = 0; i < parameters.size(); ++i)
    b.assign(parameters[i], b.sub(parameters[i], b.mul(gradients[i], rate)));
  return graph;
}

}  // namespace nnc::test
