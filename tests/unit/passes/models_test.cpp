// The training steps of the model files: what is fused computes what the step computed.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "compiler/ir/op.h"
#include "tests/support/graph_runner.h"
#include "tests/support/paths.h"

namespace {

using namespace nnc;

// The graph that `nnc dump MODEL --stage STAGE` prints.
std::unique_ptr<ir::Graph> dumped(const std::string& model, const std::string& stage) {
  const std::string command = testing::nnc_binary() + " dump '" + model + "' --stage " + stage +
                              " --set train.batch=7 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> buffer{};
  while (const size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), n);
  REQUIRE_MESSAGE(pclose(pipe) == 0, text);
  return ir::parse(text);
}

TEST_CASE("the fused step of every small model computes what its step computes") {
  int models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::source_dir() + "/models")) {
    if (entry.path().extension() != ".yaml") continue;
    const std::string model = entry.path().stem().string();
    CAPTURE(model);
    if (model == "sobel") continue;  // nothing is trained there
    const auto step = dumped(entry.path().string(), "step");
    int64_t elements = 0;
    for (const ir::Param& param : step->params) elements += param.value->type.elements(step->batch);
    if (elements > 30000) continue;  // the reference takes its time
    const auto fused = dumped(entry.path().string(), "fused");
    auto params = test::random_params(*step, 9, 0, 1);
    const auto expected = ir::evaluate(*step, params), got = ir::evaluate(*fused, params);
    CHECK(expected.size() == got.size());
    bool finite = true;
    for (const auto& [name, tensor] : expected) {
      CAPTURE(name);
      CHECK(test::distance(got.at(name), tensor) < 1e-12);
      for (double value : tensor.data) finite = finite && std::isfinite(value);
    }
    CHECK(finite);
    for (kernel::Isa isa : test::runnable_isas()) {
      const auto native = test::run_native(*step, params, {.isa = isa, .same_bits_threads = {2}});
      for (const auto& [name, tensor] : expected) {
        CAPTURE(name);
        CHECK(test::distance(native.at(name), tensor) < 1e-4);
      }
    }
    ++models;
  }
  CHECK(models >= 7);
}

// Weights as training starts with them, statistics of batches near it.
test::Tensors plausible_params(const ir::Graph& graph) {
  auto params = test::random_params(graph, 5, -1, 1);
  for (auto& [name, tensor] : params) {
    const auto ends_in = [&](const char* word) { return name.ends_with(word); };
    double scale = 0.3, shift = ends_in(".variance") || ends_in(".gamma") ? 1 : 0;
    if (name == "image") scale = shift = 127.5;
    if (ends_in(".kernel"))
      scale = std::sqrt(6.0 * static_cast<double>(tensor.shape.back()) /
                        static_cast<double>(tensor.data.size()));
    for (double& value : tensor.data) value = scale * value + shift;
  }
  return params;
}

TEST_CASE("batch norm folded into weights predicts what evaluation mode says") {
  const std::string model = testing::source_dir() + "/models/resnet-small.yaml";
  const auto plain = dumped(model, "graph --entry predict");
  const auto prelude = dumped(model, "step --entry prelude");
  const auto folded = dumped(model, "step --entry predict");
  plain->batch = folded->batch = 2;
  auto params = plausible_params(*plain);
  const auto expected = ir::evaluate(*plain, params);
  params.merge(test::random_params(*prelude, 6, 0, 1));  // what it is going to overwrite
  for (const auto& [name, tensor] : test::run_native(*prelude, params, {})) {
    REQUIRE(name.starts_with("state:"));
    params[name.substr(6)] = tensor;
  }
  const auto& probability = expected.at("probability").data;
  REQUIRE(probability.size() == 20);
  for (double value : probability) CHECK(value < 0.999);  // else it would say little
  for (kernel::Isa isa : test::runnable_isas())
    CHECK(test::distance(test::run_native(*folded, params, {.isa = isa}).at("probability"),
                         expected.at("probability")) < 1e-5);  // the tolerance of emitted headers
}

}  // namespace
