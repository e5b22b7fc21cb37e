// Prepare steps, compiled in front of the model, and how weights start.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

Model prepared(const std::string& steps, const assemble::FieldInfo& x) {
  const std::string classes = x.classes > 0 ? "classes: " + std::to_string(x.classes) + ", " : "";
  return load("nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy}}\n  fields: {x: {" +
                  classes + "prepare: " + steps +
                  "}}\nmodel:\n  inputs: [x]\n  outputs: {y: \"x\"}\n",
              {x});
}

ir::Tensor run(Model& model, Tensors params) {
  const int64_t rows = params.at("x").shape[0];
  return ir::evaluate(*model.forward(assemble::Mode::predict).graph, params, {.batch = rows})
      .at("y");
}

}  // namespace

TEST_CASE("scale works on stored bytes") {
  Model model = prepared("[{scale: 1/255}]", field("x", {2}, abi::DType::u8));
  check_close(run(model, {{"x", tensor({1, 2}, {0, 51})}}), {0, 0.2});
  const assemble::Forward forward = model.forward(assemble::Mode::predict);
  CHECK(forward.graph->params[0].value->type.dtype == abi::DType::u8);
}

TEST_CASE("standardize and minmax use one statistic for each entry of the last axis") {
  Model model = prepared("[standardize]", field("x", {2}, abi::DType::f64));
  check_close(run(model, {{"x", tensor({2, 2}, {1, 10, 3, 20})},
                          {"x:standardize.mean", tensor({2}, {2, 10})},
                          {"x:standardize.stddev", tensor({2}, {0.5, 5})}}),
              {-2, 0, 2, 2});
  const std::vector<abi::StateDesc> states = model.forward(assemble::Mode::train).states;
  REQUIRE(states.size() == 2);
  CHECK(states[0].kind == abi::StateKind::prepared);
  CHECK(states[0].shape == std::vector<int64_t>{2});
  CHECK(states[0].initial.kind == abi::Initial::Kind::fitted);
  CHECK(states[0].initial.fit_field == "x");
  CHECK(states[0].initial.fit_statistic == "mean");
  CHECK(states[1].initial.fit_statistic == "stddev");

  Model between = prepared("[{minmax: {low: -1, high: 1}}]", field("x", {}, abi::DType::f64));
  check_close(run(between, {{"x", tensor({3}, {5, 10, 15})},
                            {"x:minmax.min", scalar(5)},
                            {"x:minmax.max", scalar(15)}}),
              {-1, 0, 1});
}

TEST_CASE("targets come back in their own units") {
  Model model = load(
      "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy, y: y.npy}}\n  fields: {y: "
      "{prepare: [{scale: 0.5}, standardize, {minmax: {low: -1, high: 1}}]}}\nmodel:\n  inputs: "
      "[x]\n  layers: [{expr: \"2*x\", name: p}]\n  outputs: {p: p, bare: p, kept: "
      "\"prepared(p)\", by_hand: \"inverse(p, y)\"}\nloss: {mean_squared_error: {prediction: p, "
      "target: y}}\nmetrics: [mae]\n",
      {field("x", {}, abi::DType::f64), field("y", {}, abi::DType::f64)});
  // y = 2 (mean + deviation (min + (p + 1) / 2 (max - min)))
  const Tensors learned = {{"x", tensor({2}, {0.25, -0.5})},
                           {"y:standardize.mean", scalar(10)},
                           {"y:standardize.stddev", scalar(4)},
                           {"y:minmax.min", scalar(-2)},
                           {"y:minmax.max", scalar(1)}};
  const assemble::Forward forward = model.forward(assemble::Mode::predict);
  auto outputs = ir::evaluate(*forward.graph, learned, {.batch = 2});
  for (const char* name : {"p", "bare", "by_hand"}) check_close(outputs.at(name), {22, 4});
  check_close(outputs.at("kept"), {0.5, -1});
  CHECK(forward.outputs[0].units == "y");
  CHECK(forward.outputs[2].units.empty());

  Tensors rows = learned;
  rows["y"] = tensor({2}, {20, 10});
  const assemble::Forward judged = model.forward(assemble::Mode::eval);
  outputs = ir::evaluate(*judged.graph, rows, {.batch = 2});
  check_close(outputs.at("metric.mae"), {2, 6});
  CHECK(judged.prepared_targets == std::vector<std::string>{"y"});
}

TEST_CASE("steps follow each other") {
  Model model = prepared("[{scale: 2}, standardize, {scale: 10}, standardize]",
                         field("x", {}, abi::DType::f64));
  const assemble::Forward forward = model.forward(assemble::Mode::train);
  REQUIRE(forward.states.size() == 4);
  CHECK(forward.states[0].initial.fit_step == 1);
  CHECK(forward.states[2].initial.fit_step == 3);
  CHECK(forward.states[0].name != forward.states[2].name);
  check_close(run(model, {{"x", tensor({1}, {3})},
                          {forward.states[0].name, scalar(4)},
                          {forward.states[1].name, scalar(2)},
                          {forward.states[2].name, scalar(1)},
                          {forward.states[3].name, scalar(3)}}),
              {3});  // (3·2 - 4)/2 = 1; (1·10 - 1)/3 = 3
}

TEST_CASE("one_hot turns an index into a vector") {
  for (const std::vector<int64_t>& row : {std::vector<int64_t>{}, std::vector<int64_t>{1}}) {
    Model model = prepared("[one_hot]", field("x", row, abi::DType::i32, 3));
    std::vector<int64_t> shape{2};
    shape.insert(shape.end(), row.begin(), row.end());
    const ir::Tensor y = run(model, {{"x", tensor(shape, {2, 0})}});
    CHECK(y.shape == std::vector<int64_t>{2, 3});
    check_close(y, {0, 0, 1, 1, 0, 0});
  }
  Model several = prepared("[one_hot]", field("x", {2}, abi::DType::i32, 2));
  const ir::Tensor y = run(several, {{"x", tensor({1, 2}, {1, 0})}});
  CHECK(y.shape == std::vector<int64_t>{1, 2, 2});
  check_close(y, {0, 1, 1, 0});
}

TEST_CASE("an index is not a number for a layer or for scale") {
  Model scaled = prepared("[{scale: 2}]", field("x", {}, abi::DType::i32, 3));
  CHECK(scaled.errors(assemble::Mode::train).find("scale: field 'x' is an index") !=
        std::string::npos);
  Model dense = load(
      "nnc: 1\ndata:\n  train: {npy: {x: x.npy}}\n  fields: {x: {classes: 3}}\n"
      "model:\n  inputs: [x]\n  layers:\n    - dense: 2\n",
      {field("x", {}, abi::DType::i32, 3)});
  const std::string text = dense.errors(assemble::Mode::train);
  CHECK(text.find("model.yaml:8:7: error: dense 'dense_1': its input is an index, not a number") !=
        std::string::npos);
  CHECK(text.find("one_hot") != std::string::npos);
}

namespace {

struct InitialCase {
  std::string yaml;
  abi::Initial::Kind kind;
  double a, b;
};

}  // namespace

TEST_CASE("initialisers: limits and deviations from the fans of the kernel") {
  using Kind = abi::Initial::Kind;
  const double n = 6;   // inputs
  const double u = 10;  // units
  const std::vector<InitialCase> cases = {
      {"glorot_uniform", Kind::uniform, -std::sqrt(6 / (n + u)), std::sqrt(6 / (n + u))},
      {"glorot_normal", Kind::normal, 0, std::sqrt(2 / (n + u))},
      {"he_uniform", Kind::uniform, -std::sqrt(6 / n), std::sqrt(6 / n)},
      {"he_normal", Kind::normal, 0, std::sqrt(2 / n)},
      {"lecun_uniform", Kind::uniform, -std::sqrt(3 / n), std::sqrt(3 / n)},
      {"lecun_normal", Kind::normal, 0, std::sqrt(1 / n)},
      {"{uniform: {low: -1, high: 3}}", Kind::uniform, -1, 3},
      {"{normal: {mean: 0.75, stddev: 0.01}}", Kind::normal, 0.75, 0.01},
      {"{constant: 0.5}", Kind::constant, 0.5, 0},
      {"0.25", Kind::constant, 0.25, 0},
      {"zeros", Kind::constant, 0, 0},
      {"ones", Kind::constant, 1, 0},
      {"{kernel: he_normal}", Kind::normal, 0, std::sqrt(2 / n)},
      {"{bias: 1}", Kind::uniform, -std::sqrt(6 / (n + u)), std::sqrt(6 / (n + u))},
  };
  for (const InitialCase& c : cases) {
    INFO(c.yaml);
    Model model = load(
        "nnc: 1\ndata:\n  train: {npy: {x: x.npy}}\nmodel:\n  inputs: [x]\n  layers:\n"
        "    - dense: {units: 10, init: " +
            c.yaml + "}\n",
        {field("x", {6})});
    const std::vector<abi::StateDesc> states = model.forward(assemble::Mode::train).states;
    REQUIRE(states.size() == 2);
    CHECK(states[0].name == "dense_1.kernel");
    CHECK(states[0].initial.kind == c.kind);
    CHECK(states[0].initial.a == doctest::Approx(c.a));
    CHECK(states[0].initial.b == doctest::Approx(c.b));
    CHECK(states[1].initial.kind == Kind::constant);
    CHECK(states[1].initial.a == (c.yaml == "{bias: 1}" ? 1 : 0));
    CHECK(states[0].stream != states[1].stream);
  }
}

TEST_CASE("all kernels of a layer start as init says") {
  for (const std::string init : {"", ", init: he_normal", ", init: {constant: 0.5}"}) {
    CAPTURE(init);
    Model model = load(
        "nnc: 1\ndata:\n  train: {npy: {x: x.npy}}\nmodel:\n  inputs: [x]\n  layers:\n"
        "    - separable_conv2d: {filters: 4, kernel: 3" +
            init + "}\n",
        {field("x", {8, 8, 3})});
    const std::vector<abi::StateDesc> states = model.forward(assemble::Mode::train).states;
    REQUIRE(states.size() == 3);
    for (const abi::StateDesc& state : states) {
      CAPTURE(state.name);
      const bool is_bias = state.name == "separable_conv2d_1.bias";
      const bool is_zero =
          state.initial.kind == abi::Initial::Kind::constant && state.initial.a == 0;
      CHECK(is_zero == is_bias);
    }
  }
}

TEST_CASE("explicit values must have the weight's shape") {
  const auto with = [](const std::string& init) {
    return load(
        "nnc: 1\ndata:\n  train: {npy: {x: x.npy}}\nmodel:\n  inputs: [x]\n  layers:\n"
        "    - dense: {units: 2, init: " +
            init + "}\n",
        {field("x", {3})});
  };
  Model good = with("{kernel: [[1, 2], [3, 4], [5, 6]], bias: [7, 8]}");
  const std::vector<abi::StateDesc> states = good.forward(assemble::Mode::train).states;
  CHECK(states[0].initial.values == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(states[1].initial.values == std::vector<double>{7, 8});
  Model bad = with("{kernel: [[1, 2, 3], [4, 5, 6]]}");
  const std::string text = bad.errors(assemble::Mode::train);
  CHECK(text.find("the values of 'kernel' have the wrong shape") != std::string::npos);
  CHECK(text.find("[3, 2]") != std::string::npos);
  CHECK(text.find("[2, 3]") != std::string::npos);
}
