// Layers as native code: training steps, evaluation and prediction of small models against the
// reference, at every vector level, with one to three threads, for full and partial batches.
#include <doctest/doctest.h>

#include <cmath>

#include "compiler/assemble/forward.h"
#include "compiler/assemble/update.h"
#include "compiler/autodiff/autodiff.h"
#include "compiler/ir/op.h"
#include "compiler/language/parse.h"
#include "compiler/layers/catalogue.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/prelude.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

assemble::FieldInfo numbers(const std::string& name, const std::vector<int64_t>& shape) {
  return {
      .name = name, .dtype = abi::DType::f32, .row_shape = shape, .classes = 0, .vocabulary = {}};
}

const std::vector<assemble::FieldInfo> fields = {numbers("x", {6}), numbers("t", {3})};

language::Description model_of(const std::string& layers, int64_t batch) {
  Diagnostics diagnostics;
  const std::string yaml =
      "nnc: 1\ndata:\n  train: {npy: {x: x.npy, t: t.npy}}\nmodel:\n  inputs: [x]\n  layers:\n" +
      layers + "    - flatten\n    - dense: 3\n      name: y\n" +
      "loss: {mean_squared_error: {prediction: y, target: t}}\n" +
      "train: {epochs: 1, batch: " + std::to_string(batch) + ", optimizer: {sgd: {rate: 0.1}}}\n";
  auto description = language::parse_text(yaml, "model.yaml", {}, layers::catalogue(), diagnostics);
  std::string text;
  for (const Diagnostic& d : diagnostics.sorted()) text += render(d);
  REQUIRE_MESSAGE(description.has_value(), text);
  return std::move(*description);
}

assemble::Forward forward_of(const language::Description& description, assemble::Mode mode,
                             int64_t batch) {
  Diagnostics diagnostics;
  auto forward = assemble::build_forward(description, fields, mode, diagnostics, batch);
  std::string text;
  for (const Diagnostic& d : diagnostics.sorted()) text += render(d);
  REQUIRE_MESSAGE(forward.has_value(), text);
  return std::move(*forward);
}

std::unique_ptr<ir::Graph> step_of(const language::Description& description, int64_t batch) {
  assemble::Forward forward = forward_of(description, assemble::Mode::train, batch);
  passes::run_passes(*forward.graph, passes::canonical_passes());
  const auto gradients = autodiff::gradients(*forward.graph, forward.total(), forward.trainable());
  Diagnostics diagnostics;
  assemble::append_update(forward, gradients, description,
                          assemble::step_entries(description).front(), diagnostics);
  REQUIRE(!diagnostics.has_errors());
  return std::move(forward.graph);
}

test::Tensors numbers_for(const ir::Graph& graph, int64_t rows) {
  const std::unique_ptr<ir::Graph> smaller = graph.clone();
  smaller->batch = rows;
  test::Tensors params = test::random_params(*smaller, 7, 0.1, 1);
  const auto scalar = [&](const std::string& name, double value) {
    if (params.count(name)) params[name] = {{}, {value}};
  };
  scalar("rows", static_cast<double>(rows));
  scalar("inverse_rows", 1 / static_cast<double>(rows));
  scalar("seed", 3);
  scalar("step", 2);
  return params;
}

// `rows` of the rows that the graph was made for.
void check_native(const ir::Graph& graph, int64_t rows) {
  const test::Tensors params = numbers_for(graph, rows);
  const auto expected = ir::evaluate(graph, params, {.batch = rows, .seed = 3, .step = 2});
  for (const kernel::Isa isa : test::runnable_isas()) {
    const auto got =
        test::run_native(graph, params, {.isa = isa, .rows = rows, .same_bits_threads = {2, 3}});
    CHECK(got.size() == expected.size());
    for (const auto& [name, tensor] : expected) {
      CAPTURE(name);
      for (const double value : tensor.data) REQUIRE(std::isfinite(value));
      CHECK(test::distance(got.at(name), tensor) < 2e-4);
    }
  }
}

const std::vector<std::string> models = {
    "    - batch_norm\n",
    "    - dense: 17\n    - batch_norm: {momentum: 0.5}\n    - relu\n",
    "    - dense: 40\n    - reshape: [2, 4, 5]\n    - batch_norm: {scale: false}\n    - tanh\n",
    "    - dense: 16\n    - layer_norm\n    - gelu\n",
    "    - dense: 40\n    - reshape: [4, 2, 5]\n    - layer_norm: {over: row}\n",
    "    - dense: 70\n    - rms_norm\n",
    "    - dense: 48\n    - reshape: [2, 2, 12]\n    - group_norm: 3\n    - relu\n",
    "    - dense: 48\n    - reshape: [2, 2, 12]\n    - group_norm: 12\n",
    "    - dense: 36\n    - reshape: [2, 18]\n    - local_response_norm: {size: 3, alpha: 0.1}\n",
    "    - dense: 40\n    - reshape: [2, 2, 10]\n    - spatial_dropout: 0.3\n",
    "    - gaussian_noise: 0.2\n    - gaussian_dropout: 0.1\n",
};

// Layers over pictures: the first one reads pictures of 5x6 with 3 channels.
const std::vector<std::string> picture_models = {
    "    - conv2d: {filters: 4, kernel: 3, padding: same, activation: relu}\n    - maxpool2d: 2\n",
    "    - conv2d: {filters: 6, kernel: [3, 2], stride: 2, groups: 3}\n    - avgpool2d: "
    "{pool: 2, stride: 1, padding: same}\n",
    "    - maxpool2d: {pool: 3, stride: 2, padding: same}\n    - conv2d: {filters: 17, kernel: "
    "1}\n",
    "    - depthwise_conv2d: {kernel: 3, multiplier: 2, activation: tanh}\n    - global_maxpool\n",
    "    - separable_conv2d: {filters: 5, kernel: 2, dilation: 2, padding: same}\n    - "
    "global_avgpool\n",
    "    - conv2d_transpose: {filters: 4, kernel: 3, stride: 2, padding: same}\n    - cropping: "
    "[1, [0, 2]]\n    - relu\n    - conv2d: {filters: 2, kernel: 2}\n",
    "    - conv2d_transpose: {filters: 2, kernel: 2, stride: 2, activation: sigmoid}\n",
    "    - upsample: {size: [2, 3], method: bilinear}\n    - conv2d: {filters: 2, kernel: 2}\n",
    "    - zero_padding: [[1, 0], 2]\n    - relu\n    - upsample: 2\n    - avgpool2d: [3, 2]\n",
    "    - reshape: [5, 18]\n    - conv1d: {filters: 3, kernel: 2, dilation: 2}\n    - maxpool1d: "
    "{pool: 2, stride: 1}\n    - tanh\n    - avgpool1d: {pool: 3, padding: same}\n",
    "    - reshape: [5, 3, 2, 3]\n    - conv3d: {filters: 2, kernel: [2, 1, 2], padding: 1}\n",
    "    - dense: 7\n    - prelu\n    - dense: {units: 4, activation: mish}\n",
    "    - conv2d: {filters: 4, kernel: 2, activation: hard_swish}\n    - avgpool2d: {pool: 2, "
    "stride: 1, padding: [[1, 0], 1]}\n    - prelu: element\n",
    "    - reshape: [5, 18]\n    - conv1d_transpose: {filters: 3, kernel: 3, stride: 2}\n    - "
    "depthwise_conv1d: {kernel: 2, multiplier: 2}\n    - softsign\n",
    "    - reshape: [5, 3, 2, 3]\n    - conv3d_transpose: {filters: 2, kernel: [2, 1, 2], stride: "
    "[1, "
    "2, 1]}\n    - maxpool3d: {pool: 2, stride: 1, padding: 1}\n",
    "    - reshape: [5, 3, 2, 3]\n    - depthwise_conv3d: 2\n    - avgpool3d: {pool: [2, 1, 1], "
    "padding: same}\n",
};

}  // namespace

TEST_CASE("the steps of models over pictures run natively as the reference says") {
  for (const std::string& layers : picture_models) {
    CAPTURE(layers);
    const std::string picture = "    - dense: 90\n    - reshape: [5, 6, 3]\n";
    const auto step = step_of(model_of(picture + layers, 7), 7);
    for (const int64_t rows : {7, 1}) check_native(*step, rows);
  }
}

TEST_CASE("the steps of normalised models run natively as the reference says") {
  for (const std::string& layers : models) {
    CAPTURE(layers);
    const auto step = step_of(model_of(layers, 11), 11);
    for (const int64_t rows : {11, 2}) check_native(*step, rows);
  }
}

TEST_CASE("folded inference graphs compute what they did, and nothing of weights alone") {
  for (const std::string& layers : models) {
    CAPTURE(layers);
    const language::Description description = model_of(layers, 11);
    for (const assemble::Mode mode : {assemble::Mode::eval, assemble::Mode::predict}) {
      const assemble::Forward forward = forward_of(description, mode, 9);
      ir::Graph& graph = *forward.graph;
      passes::run_passes(graph, passes::canonical_passes());
      test::Tensors params = numbers_for(graph, 5);
      const auto expected = ir::evaluate(graph, params, {.batch = 5});
      passes::run_passes(graph, passes::inference_passes());
      ir::verify(graph);
      passes::Prelude prelude;
      const bool taken = prelude.take_from(graph);
      CHECK(taken == (layers.find("batch_norm") != std::string::npos ||
                      layers.find("local_response") != std::string::npos));
      ir::verify(graph);
      ir::verify(prelude.graph());
      for (const passes::DerivedState& state : prelude.states()) {
        ir::Tensor empty;
        for (const ir::Dim& dim : state.type.shape) empty.shape.push_back(dim.size);
        empty.data.resize(static_cast<size_t>(state.type.elements(1)));
        params[state.name] = empty;
      }
      for (const auto& [name, tensor] : ir::evaluate(prelude.graph(), params))
        params[name.substr(std::string("state:").size())] = tensor;
      const auto folded = ir::evaluate(graph, params, {.batch = 5});
      for (const auto& [name, tensor] : expected)
        CHECK(test::distance(folded.at(name), tensor) < 1e-12);
      check_native(graph, 5);
      if (taken) check_native(prelude.graph(), 1);
    }
  }
}

TEST_CASE("batch_norm behind a product costs nothing when predicting") {
  const assemble::Forward forward = forward_of(
      model_of("    - dense: 17\n    - batch_norm\n    - relu\n", 11), assemble::Mode::predict, 9);
  ir::Graph& graph = *forward.graph;
  passes::run_passes(graph, passes::canonical_passes());
  passes::run_passes(graph, passes::inference_passes());
  passes::Prelude prelude;
  REQUIRE(prelude.take_from(graph));
  std::vector<std::string> ops;
  for (const auto& node : graph.nodes)
    if (node->op->family != ir::Family::movement) ops.push_back(node->op->name);
  // dense, its bias, relu; dense, its bias.
  CHECK(ops == std::vector<std::string>{"contract", "add", "relu", "contract", "add"});
  CHECK(prelude.states().size() == 2);
  CHECK(graph.find_param(ir::ParamKind::state, "dense_1.kernel") == nullptr);
  CHECK(graph.find_param(ir::ParamKind::state, "dense_1.kernel:folded") != nullptr);
}

TEST_CASE("what evaluation and prediction both need is computed once") {
  const language::Description description =
      model_of("    - dense: 17\n    - batch_norm\n    - relu\n    - batch_norm\n", 11);
  passes::Prelude prelude;
  for (const assemble::Mode mode : {assemble::Mode::eval, assemble::Mode::predict}) {
    const assemble::Forward forward = forward_of(description, mode, 9);
    passes::run_passes(*forward.graph, passes::canonical_passes());
    passes::run_passes(*forward.graph, passes::inference_passes());
    CHECK(prelude.take_from(*forward.graph));
    CHECK(prelude.states().size() == 4);
  }
}
