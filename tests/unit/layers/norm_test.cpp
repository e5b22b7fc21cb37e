// The normalising and the noisy layers against plain formulas, and their derivatives against
// difference quotients.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "compiler/autodiff/autodiff.h"
#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

// A model of one layer called `n` over field x, trained on the sum of t · n; both of one shape.
Model model_of(const std::string& layer, const std::vector<int64_t>& row, int64_t batch = 6) {
  const std::string colon = layer.find(':') == std::string::npos ? ":" : "";
  return load(
      "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy, t: t.npy}}\n"
      "model:\n  inputs: [x]\n  params: {w: 1}\n  layers:\n    - expr: \"w*x\"\n    - " +
          layer + colon + "\n      name: n\nloss: {terms: {all: \"sum(t * n)\"}}\n" +
          "train: {epochs: 1, batch: " + std::to_string(batch) + ", optimizer: sgd}\n",
      {field("x", row, abi::DType::f64), field("t", row, abi::DType::f64)});
}

Tensors numbers_for(const assemble::Forward& forward, const std::vector<int64_t>& shape) {
  Tensors numbers = {{"x", random_tensor(shape, 1)},
                     {"t", random_tensor(shape, 2)},
                     {"seed", scalar(5)},
                     {"step", scalar(3)},
                     {"rows", scalar(static_cast<double>(shape[0]))},
                     {"inverse_rows", scalar(1.0 / static_cast<double>(shape[0]))}};
  unsigned seed = 10;
  for (const abi::StateDesc& state : forward.states) {
    ir::Tensor value = random_tensor(state.shape, seed++);
    for (double& x : value.data) x = std::abs(x) + 0.1;
    numbers[state.name] = value;
  }
  return numbers;
}

const std::vector<std::vector<int64_t>> row_shapes = {{}, {1}, {5}, {4, 6}, {3, 2, 4}};

const std::vector<std::string> norm_layers = {"batch_norm",
                                              "batch_norm: {momentum: 0.5, epsilon: 0.1}",
                                              "batch_norm: {scale: false}",
                                              "batch_norm: {center: false}",
                                              "layer_norm",
                                              "layer_norm: {over: row, epsilon: 0.01}",
                                              "layer_norm: {scale: false, center: false}",
                                              "rms_norm",
                                              "rms_norm: {over: row}",
                                              "rms_norm: {scale: false}",
                                              "group_norm: 1",
                                              "group_norm: {groups: 1, epsilon: 0.2}"};

// Mean 0 and variance v / (v + epsilon) of `count` numbers at `first`, `step` apart.
void check_normalised(const std::vector<double>& y, const std::vector<double>& x,
                      const std::vector<size_t>& places, double epsilon) {
  double mean = 0, variance = 0;
  for (const size_t i : places) mean += x[i] / static_cast<double>(places.size());
  for (const size_t i : places)
    variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(places.size());
  for (const size_t i : places)
    CHECK(y[i] == doctest::Approx((x[i] - mean) / std::sqrt(variance + epsilon)).epsilon(1e-10));
}

std::vector<size_t> range(size_t first, size_t count, size_t step) {
  std::vector<size_t> places;
  for (size_t i = 0; i < count; ++i) places.push_back(first + i * step);
  return places;
}

}  // namespace

TEST_CASE("batch_norm: the batch's own statistics while training, over rows and pixels") {
  for (const int64_t rows : {2, 3, 6}) {  // of 6: a last batch that is not full has its own
    Model model = model_of("batch_norm: {momentum: 0.75, epsilon: 0.01}", {2, 3});
    const assemble::Forward forward = model.forward(assemble::Mode::train);
    const Tensors start = numbers_for(forward, {rows, 2, 3});
    const Tensors out = ir::evaluate(*forward.graph, start, {.batch = rows});
    const std::vector<double>& x = start.at("x").data;
    const double n = static_cast<double>(2 * rows);
    double loss = 0;
    for (size_t c = 0; c < 3; ++c) {
      double mean = 0, variance = 0;
      for (size_t i = c; i < x.size(); i += 3) mean += start.at("w").data[0] * x[i] / n;
      for (size_t i = c; i < x.size(); i += 3)
        variance += std::pow(start.at("w").data[0] * x[i] - mean, 2) / n;
      for (size_t i = c; i < x.size(); i += 3)
        loss += start.at("t").data[i] *
                (start.at("n.gamma").data[c] * (start.at("w").data[0] * x[i] - mean) /
                     std::sqrt(variance + 0.01) +
                 start.at("n.beta").data[c]);
      CHECK(out.at("state:n.mean").data[c] ==
            doctest::Approx(0.75 * start.at("n.mean").data[c] + 0.25 * mean));
      CHECK(out.at("state:n.variance").data[c] ==
            doctest::Approx(0.75 * start.at("n.variance").data[c] + 0.25 * variance * n / (n - 1)));
    }
    CHECK(out.at("total").data[0] * static_cast<double>(rows) == doctest::Approx(loss));
  }
}

TEST_CASE("batch_norm: the running statistics elsewhere, and where it is frozen") {
  const std::vector<assemble::Mode> modes = {assemble::Mode::train, assemble::Mode::eval,
                                             assemble::Mode::predict};
  for (const assemble::Mode mode : modes) {
    const std::string freeze = mode == assemble::Mode::train ? "\n      freeze: true" : "";
    Model model = model_of("batch_norm: {epsilon: 0.5}" + freeze, {3});
    const assemble::Forward forward = model.forward(mode);
    const Tensors start = numbers_for(forward, {2, 3});
    const Tensors out = ir::evaluate(*forward.graph, start, {.batch = 2});
    CHECK(out.count("state:n.mean") == 0);
    for (size_t row = 0; row < 2; ++row) {
      double loss = 0;
      for (size_t c = 0; c < 3; ++c) {
        const double x = start.at("w").data[0] * start.at("x").data[row * 3 + c];
        const double y = start.at("n.gamma").data[c] * (x - start.at("n.mean").data[c]) /
                             std::sqrt(start.at("n.variance").data[c] + 0.5) +
                         start.at("n.beta").data[c];
        if (mode == assemble::Mode::predict)
          CHECK(out.at("output").data[row * 3 + c] == doctest::Approx(y));
        loss += start.at("t").data[row * 3 + c] * y;
      }
      if (mode != assemble::Mode::predict)
        CHECK(out.at("loss.all").data[row] == doctest::Approx(loss));
    }
  }
}

TEST_CASE("batch_norm: what is kept is not trained, and is listed apart") {
  Model model = model_of("batch_norm", {4, 4, 3});
  const assemble::Forward forward = model.forward(assemble::Mode::train);
  CHECK(forward.parameter_count() == 1 + 6);
  CHECK(forward.layers.at(1).parameters == 6);
  CHECK(forward.layers.at(1).statistics == 6);
  std::vector<std::string> kept;
  for (const abi::StateDesc& state : forward.states) {
    if (state.kind == abi::StateKind::statistic) kept.push_back(state.name);
  }
  CHECK(kept == std::vector<std::string>{"n.mean", "n.variance"});
  for (const assemble::ParameterInfo& info : forward.parameters) CHECK(!info.decays);
}

TEST_CASE("batch_norm: layers that share one update it one after the other") {
  Model model = load(
      "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy}}\nmodel:\n  inputs: [x]\n"
      "  layers:\n    - batch_norm: {momentum: 0.5}\n      name: a\n    - expr: \"2*x + 1\"\n"
      "    - batch_norm: {momentum: 0.5}\n      share: a\n      name: b\n"
      "loss: {terms: {all: \"sum(a * b)\"}}\ntrain: {epochs: 1, optimizer: sgd}\n",
      {field("x", {1}, abi::DType::f64)});
  const assemble::Forward forward = model.forward(assemble::Mode::train);
  CHECK(forward.states.size() == 4);
  const Tensors out = ir::evaluate(*forward.graph,
                                   {{"x", tensor({2, 1}, {1, 3})},
                                    {"a.gamma", tensor({1}, {1})},
                                    {"a.beta", tensor({1}, {0})},
                                    {"a.mean", tensor({1}, {8})},
                                    {"a.variance", tensor({1}, {1})},
                                    {"rows", scalar(2)},
                                    {"inverse_rows", scalar(0.5)}},
                                   {.batch = 2});
  // Means 2 and 5, variances (of two numbers, unbiased) 2 and 8: 8 -> 5 -> 5, 1 -> 1.5 -> 4.75.
  CHECK(out.at("state:a.mean").data[0] == doctest::Approx(5));
  CHECK(out.at("state:a.variance").data[0] == doctest::Approx(4.75));
}

TEST_CASE("layer_norm and rms_norm of the last axis and of the row") {
  const ir::Tensor x = random_tensor({3, 4, 5}, 7);
  const std::string bare = ", scale: false, center: false}\n";
  ir::Tensor y = run_layers("    - layer_norm: {epsilon: 0.01" + bare, x);
  for (size_t i = 0; i < 12; ++i) check_normalised(y.data, x.data, range(i * 5, 5, 1), 0.01);
  y = run_layers("    - layer_norm: {over: row, epsilon: 0.01" + bare, x);
  for (size_t i = 0; i < 3; ++i) check_normalised(y.data, x.data, range(i * 20, 20, 1), 0.01);
  y = run_layers("    - rms_norm: {epsilon: 0.25}\n      name: n\n", tensor({1, 2}, {3, 4}),
                 {{"n.gamma", tensor({2}, {1, 10})}});
  const double root = std::sqrt(12.5 + 0.25);
  check_close(y, {3 / root, 40 / root});
  y = run_layers("    - layer_norm:\n      name: n\n", tensor({1, 2}, {1, 3}),
                 {{"n.gamma", tensor({2}, {1, 10})}, {"n.beta", tensor({2}, {0, 5})}});
  const double one = 1 / std::sqrt(1 + 1e-5);
  check_close(y, {-one, 10 * one + 5});
}

TEST_CASE("group_norm: channels of a group and all pixels together") {
  const ir::Tensor x = random_tensor({2, 3, 6}, 9);
  for (const size_t groups : {1, 2, 3, 6}) {
    const ir::Tensor y = run_layers("    - group_norm: {groups: " + std::to_string(groups) +
                                        ", epsilon: 0.02, scale: false, center: false}\n",
                                    x);
    const size_t width = 6 / groups;
    for (size_t row = 0; row < 2; ++row) {
      for (size_t g = 0; g < groups; ++g) {
        std::vector<size_t> places;
        for (size_t p = 0; p < 3; ++p) {
          for (const size_t i : range(row * 18 + p * 6 + g * width, width, 1)) places.push_back(i);
        }
        check_normalised(y.data, x.data, places, 0.02);
      }
    }
  }
  ir::Tensor y = run_layers("    - group_norm: 1\n      name: n\n", tensor({1, 2}, {1, 3}),
                            {{"n.gamma", tensor({2}, {1, 10})}, {"n.beta", tensor({2}, {0, 5})}});
  const double one = 1 / std::sqrt(1 + 1e-5);
  check_close(y, {-one, 10 * one + 5});
}

TEST_CASE("local_response_norm: the neighbours at the same pixel") {
  const ir::Tensor x = random_tensor({2, 2, 7}, 4);
  for (const int64_t size : {1, 3, 5, 15}) {
    const ir::Tensor y = run_layers("    - local_response_norm: {size: " + std::to_string(size) +
                                        ", k: 1.5, alpha: 0.3, beta: 0.6}\n",
                                    x);
    std::vector<double> expected;
    for (int64_t i = 0; i < 28; ++i) {
      double sum = 0;
      for (int64_t j = i / 7 * 7; j < i / 7 * 7 + 7; ++j) {
        if (std::abs(i - j) <= size / 2) sum += x.data[j] * x.data[j];
      }
      expected.push_back(x.data[i] / std::pow(1.5 + 0.3 * sum, 0.6));
    }
    check_close(y, expected, 1e-10);
  }
}

TEST_CASE("derivatives of the normalising layers, along a random direction of all weights") {
  std::vector<std::string> all = norm_layers;
  all.push_back("local_response_norm: {size: 3, alpha: 0.2}");
  for (const std::string& layer : all) {
    for (const std::vector<int64_t>& row : row_shapes) {
      if (row.empty() && layer[1] == 'o') continue;  // channels are needed
      CAPTURE(layer);
      CAPTURE(row.size());
      Model model = model_of(layer, row);
      assemble::Forward forward = model.forward(assemble::Mode::train);
      const auto gradients =
          autodiff::gradients(*forward.graph, forward.total(), forward.trainable());
      std::vector<std::string> names;
      for (const assemble::ParameterInfo& info : forward.parameters) names.push_back(info.name);
      for (size_t i = 0; i < names.size(); ++i)
        forward.graph->add_output("slope." + names[i], gradients[i]);
      std::vector<int64_t> shape{6};
      shape.insert(shape.end(), row.begin(), row.end());
      const Tensors start = numbers_for(forward, shape);
      const auto at = [&](double step) {
        Tensors moved = start;
        for (size_t p = 0; p < names.size(); ++p) {
          std::vector<double>& data = moved.at(names[p]).data;
          for (size_t i = 0; i < data.size(); ++i)
            data[i] += step * std::cos(static_cast<double>(3 * p + i));
        }
        return ir::evaluate(*forward.graph, moved, {.batch = 6});
      };
      const Tensors here = at(0);
      double slope = 0;
      for (size_t p = 0; p < names.size(); ++p) {
        const std::vector<double>& data = here.at("slope." + names[p]).data;
        for (size_t i = 0; i < data.size(); ++i)
          slope += data[i] * std::cos(static_cast<double>(3 * p + i));
      }
      const double h = 1e-5;
      const double quotient = (at(h).at("total").data[0] - at(-h).at("total").data[0]) / (2 * h);
      CHECK(slope == doctest::Approx(quotient).epsilon(1e-6).scale(1));
    }
  }
}

TEST_CASE("noisy layers: right on average while training, nothing elsewhere") {
  struct Noisy {
    std::string layer;
    double variance;  // of 1 after the layer
  };
  for (const Noisy& c : {Noisy{"spatial_dropout: 0.2", 0.25}, Noisy{"gaussian_noise: 0.5", 0.25},
                         Noisy{"gaussian_dropout: 0.2", 0.25}}) {
    CAPTURE(c.layer);
    Model model = model_of(c.layer, {2, 2, 500}, 40);
    const assemble::Forward forward = model.forward(assemble::Mode::train);
    Tensors numbers = numbers_for(forward, {40, 2, 2, 500});
    for (double& x : numbers.at("x").data) x = 1;
    numbers["w"] = scalar(1);
    forward.graph->add_output("n", [&] {
      // t · n is the last product: n is the operand that is not the field.
      ir::Value* field = forward.graph->find_param(ir::ParamKind::input, "t");
      for (auto it = forward.graph->nodes.rbegin(); it != forward.graph->nodes.rend(); ++it) {
        const auto& operands = (*it)->operands;
        if ((*it)->op->name != "mul" || operands.size() != 2) continue;
        if (operands[0] == field) return operands[1];
        if (operands[1] == field) return operands[0];
      }
      throw std::runtime_error("no product");
    }());
    const ir::Tensor y = ir::evaluate(*forward.graph, numbers, {.batch = 40}).at("n");
    double mean = 0, variance = 0;
    const double n = static_cast<double>(y.data.size());
    for (const double value : y.data) mean += value / n;
    for (const double value : y.data) variance += (value - 1) * (value - 1) / n;
    CHECK(mean == doctest::Approx(1).epsilon(0.015));  // 4 deviations of 20,000 draws: 0.5·4/141
    CHECK(variance == doctest::Approx(c.variance).epsilon(0.05));
    const bool spatial = c.layer[0] == 's';
    int same = 0;
    for (size_t i = 0; i < 500; ++i) same += y.data[i] == y.data[500 + i] ? 1 : 0;
    CHECK((same == 500) == spatial);
    for (const assemble::Mode mode : {assemble::Mode::eval, assemble::Mode::predict}) {
      const assemble::Forward plain = model.forward(mode);
      for (const auto& node : plain.graph->nodes) CHECK(node->op->pure);
    }
  }
}
