// The textbook formula of a known layer becomes the layer's kernels: the same schedules and the
// same bits of a whole training step.
#include <doctest/doctest.h>

#include "compiler/assemble/forward.h"
#include "compiler/assemble/update.h"
#include "compiler/autodiff/autodiff.h"
#include "compiler/language/parse.h"
#include "compiler/layers/catalogue.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/prelude.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

struct Pair {
  std::string layer;                                       // called `z`, below `h` of [17]
  std::string params;                                      // free parameters for the weights of z
  std::string formula;                                     // of h
  std::vector<std::pair<std::string, std::string>> names;  // weight of the layer, parameter
};

const std::vector<Pair> pairs = {
    {"dense: 19",
     "w: {shape: [17, 19]}, b: {shape: [19]}",
     "h @ w + b",
     {{"z.kernel", "w"}, {"z.bias", "b"}}},
    {"dense: {units: 19, activation: tanh}",
     "w: {shape: [17, 19]}, b: {shape: [19]}",
     "tanh(h @ w + b)",
     {{"z.kernel", "w"}, {"z.bias", "b"}}},
    {"softmax", "", "exp(h - max(h)) / sum(exp(h - max(h)))", {}},
    {"softmax", "", "softmax(h)", {}},
    {"layer_norm: {epsilon: 1e-5}",
     "g: {shape: [17], init: 1}, b: {shape: [17]}",
     "(h - mean(h)) / sqrt(var(h) + 1e-5) * g + b",
     {{"z.gamma", "g"}, {"z.beta", "b"}}},
    {"layer_norm: {epsilon: 1e-5}",
     "g: {shape: [17], init: 1}, b: {shape: [17]}",
     "(h - mean(h)) / sqrt(mean((h - mean(h))^2) + 1e-5) * g + b",
     {{"z.gamma", "g"}, {"z.beta", "b"}}},
    {"rms_norm: {epsilon: 1e-5}",
     "g: {shape: [17], init: 1}",
     "h / sqrt(mean(h^2) + 1e-5) * g",
     {{"z.gamma", "g"}}},
};

// An attention score of 17 places with vectors of one number, and longhand.
const std::string score = "reshape(h, [17, 1]) @ transpose(reshape(h, [17, 1])) / sqrt(4)";
const Pair attention = {"expr: \"reshape(softmax(" + score + "), [289])\"",
                        "",
                        "reshape(exp(" + score + " - stop_gradient(max(" + score +
                            ", axis=1, keepdims=true))) / sum(exp(" + score +
                            " - stop_gradient(max(" + score +
                            ", axis=1, keepdims=true))), axis=1, keepdims=true), [289])",
                        {}};

std::unique_ptr<ir::Graph> step_of(const std::string& params, const std::string& layer) {
  Diagnostics diagnostics;
  const std::string yaml =
      "nnc: 1\ndata:\n  train: {npy: {x: x.npy, t: t.npy}}\nmodel:\n  inputs: [x]\n" +
      (params.empty() ? "" : "  params: {" + params + "}\n") +
      "  layers:\n    - dense: 17\n      name: h\n    - " + layer +
      "\n      name: z\n    - dense: 3\n      name: y\n" +
      "loss: {mean_squared_error: {prediction: y, target: t}}\n" +
      "train: {epochs: 1, batch: 24, optimizer: {adam: {rate: 0.1}}}\n";
  INFO(yaml);
  const auto description =
      language::parse_text(yaml, "model.yaml", {}, layers::catalogue(), diagnostics);
  REQUIRE(description);
  const auto numbers = [](const std::string& name, const std::vector<int64_t>& shape) {
    return assemble::FieldInfo{.name = name, .row_shape = shape, .vocabulary = {}};
  };
  auto forward = assemble::build_forward(*description, {numbers("x", {6}), numbers("t", {3})},
                                         assemble::Mode::train, diagnostics, 24);
  REQUIRE(forward);
  passes::run_passes(*forward->graph, passes::canonical_passes());
  const auto gradients =
      autodiff::gradients(*forward->graph, forward->total(), forward->trainable());
  assemble::append_update(*forward, gradients, *description,
                          assemble::step_entries(*description).front(), diagnostics);
  REQUIRE(!diagnostics.has_errors());
  return std::move(forward->graph);
}

// The name that a state of the layer has in the model of the formula.
std::string renamed(const std::string& name, const Pair& pair) {
  for (const auto& [weight, parameter] : pair.names) {
    if (name.starts_with(weight)) return parameter + name.substr(weight.size());
  }
  return name;
}

}  // namespace

TEST_CASE("a layer written as its textbook formula has the same kernels and the same bits") {
  std::vector<Pair> all = pairs;
  all.push_back(attention);
  for (const Pair& pair : all) {
    CAPTURE(pair.formula);
    const auto layer =
        step_of("", pair.layer + (pair.layer.find(':') == std::string::npos ? ":" : ""));
    const auto formula = step_of(pair.params, "expr: \"" + pair.formula + "\"");
    test::Tensors numbers = test::random_params(*formula, 5, 0.1, 1);
    for (const auto& [name, value] : {std::pair{"inverse_rows", 1.0 / 24}, {"step", 1.0}}) {
      if (numbers.count(name)) numbers[name] = {{}, {value}};
    }
    test::Tensors of_layer;
    for (const ir::Param& param : layer->params) {
      const std::string& name = param.external_name;
      REQUIRE(numbers.count(renamed(name, pair)) == 1);
      of_layer[name] = numbers.at(renamed(name, pair));
    }
    std::vector<std::string> expected, found;
    const auto run = [](const ir::Graph& graph, const test::Tensors& values,
                        std::vector<std::string>& schedules) {
      return test::run_native(graph, values,
                              {.isa = test::runnable_isas().back(), .schedules = &schedules});
    };
    const test::Tensors a = run(*layer, of_layer, expected);
    const test::Tensors b = run(*formula, numbers, found);
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    CHECK(found == expected);
    for (const auto& [name, tensor] : a) {
      const std::string other =
          name.starts_with("state:") ? "state:" + renamed(name.substr(6), pair) : name;
      CHECK_MESSAGE(tensor.data == b.at(other).data, name);
    }
  }
}
