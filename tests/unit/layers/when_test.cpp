// `when`: the modes in which a layer draws random numbers, and what an evaluation draws.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

const std::vector<std::string> random_layers = {"dropout: 0.5", "spatial_dropout: 0.5",
                                                "gaussian_noise: 0.5", "gaussian_dropout: 0.5"};

// One layer `n` over a field of one number per row; its output is the metric of an evaluation.
Model model_of(const std::string& layer, const std::string& when) {
  return load(
      "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy, t: t.npy}}\n"
      "model:\n  inputs: [x]\n  params: {w: 1}\n  layers:\n    - expr: \"w*x\"\n    - " +
          layer + "\n      name: n\n" + (when.empty() ? "" : "      when: " + when + "\n") +
          "loss: {terms: {all: \"sum(t * n)\"}}\n"
          "metrics: [{mae: {prediction: n, target: t}}]\n"
          "train: {epochs: 1, batch: 4, optimizer: sgd}\n",
      {field("x", {1}, abi::DType::f64), field("t", {1}, abi::DType::f64)});
}

bool draws(Model& model, assemble::Mode mode) {
  const assemble::Forward forward = model.forward(mode);
  return std::any_of(forward.graph->nodes.begin(), forward.graph->nodes.end(),
                     [](const auto& node) { return !node->op->pure; });
}

// |n - 0| of `rows` rows with x = 1, the first of them being row `first` of its split.
std::vector<double> evaluated(Model& model, int64_t rows, int64_t first, double seed) {
  const assemble::Forward forward = model.forward(assemble::Mode::eval);
  const std::vector<int64_t> shape{rows, 1};
  const std::vector<double> ones(static_cast<size_t>(rows), 1), zeros(static_cast<size_t>(rows), 0);
  const Tensors numbers = {{"x", tensor(shape, ones)},
                           {"t", tensor(shape, zeros)},
                           {"w", scalar(1)},
                           {"seed", scalar(seed)},
                           {"first_row", scalar(static_cast<double>(first))}};
  return ir::evaluate(*forward.graph, numbers, {.batch = rows}).at("metric.mae").data;
}

}  // namespace

TEST_CASE("random layers draw in the modes that `when` names, and never in a prediction") {
  struct Case {
    std::string when;
    bool train, eval;
  };
  for (const std::string& layer : random_layers) {
    for (const Case& c : {Case{"", true, false}, Case{"train", true, false},
                          Case{"[train]", true, false}, Case{"eval", false, true},
                          Case{"[train, eval]", true, true}, Case{"[eval, train]", true, true}}) {
      CAPTURE(layer);
      CAPTURE(c.when);
      Model model = model_of(layer, c.when);
      CHECK(draws(model, assemble::Mode::train) == c.train);
      CHECK(draws(model, assemble::Mode::eval) == c.eval);
      CHECK_FALSE(draws(model, assemble::Mode::predict));
    }
  }
}

TEST_CASE("a row of an evaluation gets the same numbers however rows fall into batches") {
  for (const std::string& layer : random_layers) {
    CAPTURE(layer);
    Model model = model_of(layer, "[train, eval]");
    const std::vector<double> whole = evaluated(model, 40, 0, 7);
    std::vector<double> pieces;
    for (const int64_t rows : {13, 1, 26}) {
      const auto piece = evaluated(model, rows, static_cast<int64_t>(pieces.size()), 7);
      pieces.insert(pieces.end(), piece.begin(), piece.end());
    }
    CHECK(pieces == whole);
    CHECK(evaluated(model, 40, 0, 8) != whole);
    CHECK(evaluated(model, 40, 40, 7) != whole);
    CHECK(*std::min_element(whole.begin(), whole.end()) <
          *std::max_element(whole.begin(), whole.end()));
  }
}

TEST_CASE("the noise of an evaluation has the deviation that the layer says") {
  Model model = model_of("gaussian_noise: 0.1", "eval");  // far from 0: |1 + noise| is 1 + noise
  double mean = 0, square = 0;
  const double count = 20000;
  for (const double value : evaluated(model, 20000, 0, 3)) {
    mean += value / count;
    square += (value - 1) * (value - 1) / count;
  }
  CHECK(std::abs(mean - 1) < 5 * 0.1 / std::sqrt(count));
  CHECK(std::abs(square - 0.01) < 5 * 0.01 * std::sqrt(2 / count));
}
