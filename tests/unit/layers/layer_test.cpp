// Layers against plain formulas.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

TEST_CASE("dense is x · kernel + bias") {
  for (const int64_t width : {1, 2, 7}) {
    for (const int64_t units : {1, 3, 5}) {
      const ir::Tensor x = random_tensor({4, width}, 1);
      const ir::Tensor kernel = random_tensor({width, units}, 2);
      const ir::Tensor bias = random_tensor({units}, 3);
      std::vector<double> expected;
      for (int64_t row = 0; row < 4; ++row) {
        for (int64_t unit = 0; unit < units; ++unit) {
          double sum = bias.data[unit];
          for (int64_t i = 0; i < width; ++i) {
            sum += x.data[row * width + i] * kernel.data[i * units + unit];
          }
          expected.push_back(sum);
        }
      }
      const ir::Tensor y = run_layers("    - dense: " + std::to_string(units) + "\n", x,
                                      {{"dense_1.kernel", kernel}, {"dense_1.bias", bias}});
      CHECK(y.shape == std::vector<int64_t>{4, units});
      check_close(y, expected);
    }
  }
}

TEST_CASE("dense without a bias, with an activation, of a single number") {
  const ir::Tensor y =
      run_layers("    - dense: {units: 2, bias: false, activation: relu}\n      name: fc\n",
                 tensor({2}, {3, -3}), {{"fc.kernel", tensor({1, 2}, {2, -1})}});
  check_close(y, {6, 0, 0, 3});
}

namespace {

struct ActivationCase {
  std::string yaml;
  double (*formula)(double);
};

double gelu_exact(double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }
double gelu_tanh(double x) {
  return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
}
double hard_sigmoid(double x) { return std::min(std::max(x + 3, 0.0), 6.0) / 6; }
double selu(double x) {
  return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (std::exp(x) - 1));
}

const std::vector<ActivationCase> activation_cases = {
    {"linear", [](double x) { return x; }},
    {"step", [](double x) { return x >= 0 ? 1.0 : 0.0; }},
    {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
    {"tanh", [](double x) { return std::tanh(x); }},
    {"relu", [](double x) { return x > 0 ? x : 0; }},
    {"leaky_relu", [](double x) { return x > 0 ? x : 0.01 * x; }},
    {"leaky_relu: 0.2", [](double x) { return x > 0 ? x : 0.2 * x; }},
    {"elu", [](double x) { return x > 0 ? x : std::exp(x) - 1; }},
    {"elu: 0.5", [](double x) { return x > 0 ? x : 0.5 * (std::exp(x) - 1); }},
    {"selu", selu},
    {"gelu", gelu_exact},
    {"gelu: tanh", gelu_tanh},
    {"swish", [](double x) { return x / (1 + std::exp(-x)); }},
    {"swish: 2", [](double x) { return x / (1 + std::exp(-2 * x)); }},
    {"softplus", [](double x) { return std::log1p(std::exp(x)); }},
    {"softsign", [](double x) { return x / (1 + std::fabs(x)); }},
    {"log_sigmoid", [](double x) { return -std::log1p(std::exp(-x)); }},
    {"mish", [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }},
    {"relu6", [](double x) { return std::min(std::max(x, 0.0), 6.0); }},
    {"hard_tanh", [](double x) { return std::min(std::max(x, -1.0), 1.0); }},
    {"hard_sigmoid", hard_sigmoid},
    {"hard_swish", [](double x) { return x * hard_sigmoid(x); }},
    {"celu", [](double x) { return x > 0 ? x : std::exp(x) - 1; }},
    {"celu: 2", [](double x) { return x > 0 ? x : 2 * (std::exp(x / 2) - 1); }},
};

}  // namespace

TEST_CASE("activations, as layers and as arguments") {
  const ir::Tensor x = tensor({3, 3}, {-3.5, -1, -0.25, 0, 0.25, 1, 2, 7, 1e-3});
  const Tensors identity = {{"dense_1.kernel", tensor({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1})}};
  for (const ActivationCase& c : activation_cases) {
    INFO(c.yaml);
    std::vector<double> expected;
    for (const double value : x.data) expected.push_back(c.formula(value));
    check_close(run_layers("    - " + c.yaml + "\n", x), expected);
    const bool has_argument = c.yaml.find(':') != std::string::npos;
    const std::string choice = has_argument ? "{" + c.yaml + "}" : c.yaml;
    check_close(run_layers("    - dense: {units: 3, bias: false, activation: " + choice + "}\n", x,
                           identity),
                expected);
    if (!has_argument) check_close(run_layers("    - activation: " + c.yaml + "\n", x), expected);
  }
}

TEST_CASE("dense works on the last axis, with the same weights at every place of the others") {
  const ir::Tensor x = random_tensor({2, 3, 2, 4}, 3), kernel = random_tensor({4, 5}, 4),
                   bias = random_tensor({5}, 5);
  const ir::Tensor y =
      run_layers("    - dense: 5\n      name: d\n", x, {{"d.kernel", kernel}, {"d.bias", bias}});
  CHECK(y.shape == std::vector<int64_t>{2, 3, 2, 5});
  const ir::Tensor rows = run_layers("    - dense: 5\n      name: d\n", tensor({12, 4}, x.data),
                                     {{"d.kernel", kernel}, {"d.bias", bias}});
  check_close(y, rows.data);
}

TEST_CASE("prelu has a slope for each channel, for the layer or for each element") {
  const ir::Tensor x = tensor({2, 2, 2}, {-1, 2, -3, -4, 0, -6, 7, -8});
  check_close(
      run_layers("    - prelu:\n      name: p\n", x, {{"p.slope", tensor({2}, {0.5, 0.1})}}),
      {-0.5, 2, -1.5, -0.4, 0, -0.6, 7, -0.8});
  check_close(run_layers("    - prelu: layer\n      name: p\n", x, {{"p.slope", scalar(0.25)}}),
              {-0.25, 2, -0.75, -1, 0, -1.5, 7, -2});
  check_close(run_layers("    - prelu: element\n      name: p\n", x,
                         {{"p.slope", tensor({2, 2}, {1, 2, 3, 4})}}),
              {-1, 2, -9, -16, 0, -12, 7, -32});
}

TEST_CASE("softmax sums to one and does not overflow") {
  const ir::Tensor y = run_layers(
      "    - softmax\n", tensor({2, 3}, {0, std::log(2.0), std::log(5.0), 1000, 999, -1000}));
  const double e = std::exp(-1.0);
  check_close(y, {1.0 / 8, 2.0 / 8, 5.0 / 8, 1 / (1 + e), e / (1 + e), 0});
}

TEST_CASE("flatten and reshape keep the order") {
  const ir::Tensor x = random_tensor({3, 2, 3, 4}, 5);
  ir::Tensor y = run_layers("    - flatten\n", x);
  CHECK(y.shape == std::vector<int64_t>{3, 24});
  check_close(y, x.data);
  y = run_layers("    - reshape: [4, -1, 2]\n", x);
  CHECK(y.shape == std::vector<int64_t>{3, 4, 3, 2});
  check_close(y, x.data);
}

TEST_CASE("merge layers") {
  const std::string two =
      "    - dense: {units: 2, bias: false, init: {kernel: [[1, 2]]}}\n      name: a\n      from: "
      "x\n"
      "    - dense: {units: 2, bias: false, init: {kernel: [[3, 4]]}}\n      name: b\n      from: "
      "x\n";
  const Tensors weights = {{"a.kernel", tensor({1, 2}, {1, 2})},
                           {"b.kernel", tensor({1, 2}, {3, 4})}};
  const ir::Tensor x = tensor({2, 1}, {1, 10});
  check_close(run_layers(two + "    - add: [a, b]\n", x, weights), {4, 6, 40, 60});
  check_close(run_layers(two + "    - multiply: [a, b]\n", x, weights), {3, 8, 300, 800});
  check_close(run_layers(two + "    - concat: [a, b, x]\n", x, weights),
              {1, 2, 3, 4, 1, 10, 20, 30, 40, 10});
}

TEST_CASE("dropout drops its share and scales the rest; elsewhere it does nothing") {
  const std::string yaml =
      "nnc: 1\nprecision: f64\ndata:\n  train: {inline: {x: [[0, 0]], y: [0]}}\n"
      "model:\n  inputs: [x]\n  layers:\n    - dropout: 0.25\n      name: d\n"
      "loss: {terms: {all: \"sum(d)\", first: \"d[0]\"}}\n"
      "train: {epochs: 1, optimizer: sgd}\n";
  const std::vector<assemble::FieldInfo> fields = {field("x", {400}, abi::DType::f64),
                                                   field("y", {}, abi::DType::f64)};
  Model model = load(yaml, fields);
  const ir::Tensor ones = tensor({50, 400}, std::vector<double>(20000, 1.0));
  const Tensors params = {
      {"x", ones}, {"seed", scalar(3)}, {"step", scalar(1)}, {"inverse_rows", scalar(1.0 / 50)}};
  const auto out = ir::evaluate(*model.forward(assemble::Mode::train).graph, params, {.batch = 50});
  double mean = 0;
  for (const double row : out.at("loss.all").data) mean += row / 20000;
  CHECK(mean == doctest::Approx(1).epsilon(0.02));  // three deviations: 3·√(0.25/0.75/20000)
  for (const double value : out.at("loss.first").data) {
    CHECK((value == 0 || value == doctest::Approx(4.0 / 3)));
  }
  const auto plain =
      ir::evaluate(*model.forward(assemble::Mode::eval).graph, params, {.batch = 50});
  for (const double row : plain.at("loss.all").data) CHECK(row == 400);
}

TEST_CASE("layers that share weights own them once") {
  const std::string layers =
      "    - dense: 2\n      name: a\n    - dense: 2\n      name: b\n      share: a\n";
  const ir::Tensor y =
      run_layers(layers, tensor({1, 2}, {1, 2}),
                 {{"a.kernel", tensor({2, 2}, {0, 1, 1, 1})}, {"a.bias", tensor({2}, {1, 0})}});
  // x = [1, 2] -> [2 + 1, 1 + 2] = [3, 3] -> [3 + 1, 3 + 3]
  check_close(y, {4, 6});
}
