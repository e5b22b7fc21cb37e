// Losses, totals and penalties against numbers worked out by hand.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

// A model without layers to train: the loss compares field p (shape `row`) with field t.
Model compare(const std::string& loss, const std::vector<int64_t>& prediction_row,
              const assemble::FieldInfo& target, const std::string& more = "") {
  std::string labels = target.classes > 0
                           ? "  fields: {t: {classes: " + std::to_string(target.classes) + "}}\n"
                           : "";
  return load("nnc: 1\nprecision: f64\ndata:\n  train: {npy: {p: p.npy, t: t.npy}}\n" + labels +
                  "model:\n  inputs: [p]\n  params: {w: 1}\n  layers:\n    - expr: \"w*p\"\n"
                  "      name: y\nloss: " +
                  loss + "\n" + more + "train: {epochs: 1, optimizer: sgd}\n",
              {field("p", prediction_row, abi::DType::f64), target});
}

Tensors evaluate(Model& model, const ir::Tensor& p, const ir::Tensor& t,
                 assemble::Mode mode = assemble::Mode::train) {
  const assemble::Forward forward = model.forward(mode);
  const double rows = static_cast<double>(p.shape[0]);
  return ir::evaluate(*forward.graph,
                      {{"p", p}, {"t", t}, {"w", scalar(1)}, {"inverse_rows", scalar(1 / rows)}},
                      {.batch = p.shape[0]});
}

std::vector<double> loss_rows(const std::string& kind, const std::string& arguments,
                              const ir::Tensor& p, const ir::Tensor& t, int64_t classes = 0) {
  const std::vector<int64_t> p_row(p.shape.begin() + 1, p.shape.end());
  const std::vector<int64_t> t_row(t.shape.begin() + 1, t.shape.end());
  const abi::DType dtype = classes > 0 ? abi::DType::i32 : abi::DType::f64;
  Model model = compare("{" + kind + ": {" + arguments + ", target: t}}", p_row,
                        field("t", t_row, dtype, classes));
  return evaluate(model, p, t).at("loss." + kind).data;
}

void check_rows(const std::vector<double>& found, const std::vector<double>& expected) {
  check_close(ir::Tensor{{static_cast<int64_t>(found.size())}, found}, expected);
}

}  // namespace

TEST_CASE("squared, absolute and Huber error") {
  const ir::Tensor p = tensor({2, 2}, {1, 2, 3, 4});
  const ir::Tensor t = tensor({2, 2}, {1, 0, 0, 4.5});
  check_rows(loss_rows("mean_squared_error", "prediction: y", p, t), {2, 4.625});
  check_rows(loss_rows("mean_squared_error", "prediction: y, elements: sum", p, t), {4, 9.25});
  check_rows(loss_rows("mean_absolute_error", "prediction: y", p, t), {1, 1.75});
  // δ = 1: 2 -> 1.5, 3 -> 2.5, 0.5 -> 0.125
  check_rows(loss_rows("huber", "prediction: y", p, t), {0.75, 2.625 / 2});
  // δ = 2.5: 2 -> 2, 3 -> 2.5·(3 - 1.25)
  check_rows(loss_rows("huber", "prediction: y, delta: 2.5", p, t), {1, (4.375 + 0.125) / 2});
}

TEST_CASE("a number and a vector of one number are compared as equals") {
  check_rows(
      loss_rows("mean_squared_error", "prediction: y", tensor({2, 1}, {1, 2}), tensor({2}, {3, 2})),
      {4, 0});
  check_rows(
      loss_rows("mean_squared_error", "prediction: y", tensor({2}, {1, 2}), tensor({2, 1}, {3, 2})),
      {4, 0});
}

TEST_CASE("cross entropy from logits and probabilities, of an index and of one-hot targets") {
  const double l2 = std::log(2.0);
  const double l5 = std::log(5.0);
  const ir::Tensor logits = tensor({2, 3}, {0, l2, l5, 1000, 1000 + l2, 1000 + l5});
  const std::vector<double> expected = {-std::log(5.0 / 8), -std::log(1.0 / 8)};
  check_rows(loss_rows("cross_entropy", "logits: y", logits, tensor({2}, {2, 0}), 3), expected);
  check_rows(loss_rows("cross_entropy", "logits: y", logits, tensor({2, 1}, {2, 0}), 3), expected);
  check_rows(loss_rows("cross_entropy", "logits: y", logits, tensor({2, 3}, {0, 0, 1, 1, 0, 0})),
             expected);
  check_rows(
      loss_rows("cross_entropy", "probability: y",
                tensor({2, 3}, {0.125, 0.25, 0.625, 0.125, 0.25, 0.625}), tensor({2}, {2, 0}), 3),
      expected);
  // A soft target: -(0.5 log 1/8 + 0.5 log 2/8)
  check_rows(loss_rows("cross_entropy", "logits: y", tensor({1, 3}, {0, l2, l5}),
                       tensor({1, 3}, {0.5, 0.5, 0})),
             {2.5 * l2});
}

TEST_CASE("cross entropy of several elements of a row") {
  // Two positions of two classes: logits 0, 0 each cost log 2.
  const ir::Tensor logits = tensor({1, 2, 2}, {0, 0, 0, std::log(3.0)});
  const double expected = std::log(2.0) - std::log(0.75);
  check_rows(loss_rows("cross_entropy", "logits: y", logits, tensor({1, 2}, {0, 1}), 2),
             {expected / 2});
  check_rows(
      loss_rows("cross_entropy", "logits: y, elements: sum", logits, tensor({1, 2}, {0, 1}), 2),
      {expected});
}

TEST_CASE("binary cross entropy") {
  const double l3 = std::log(3.0);  // sigmoid(log 3) = 3/4
  const std::vector<double> expected = {-std::log(0.75), -std::log(0.25), 500, 0};
  check_rows(loss_rows("binary_cross_entropy", "logits: y", tensor({4}, {l3, l3, 500, -500}),
                       tensor({4}, {1, 0, 0, 0})),
             expected);
  check_rows(loss_rows("binary_cross_entropy", "logits: y", tensor({2, 1}, {l3, l3}),
                       tensor({2}, {1, 0}), 2),
             {expected[0], expected[1]});
  check_rows(loss_rows("binary_cross_entropy", "probability: y", tensor({2}, {0.75, 0.75}),
                       tensor({2}, {1, 0})),
             {expected[0], expected[1]});
}

TEST_CASE("the total: mean or sum over rows") {
  const ir::Tensor p = tensor({4}, {1, 2, 3, 4});
  const ir::Tensor t = tensor({4}, {0, 0, 0, 0});
  const std::string mse = "mean_squared_error: {prediction: y, target: t}";
  Model mean = compare("{" + mse + "}", {}, field("t", {}, abi::DType::f64));
  check_close(evaluate(mean, p, t).at("total"), {7.5});
  Model sum = compare("{" + mse + ", rows: sum}", {}, field("t", {}, abi::DType::f64));
  const Tensors out = evaluate(sum, p, t);
  check_close(out.at("total"), {30});
  CHECK(out.count("loss") == 0);
  CHECK(evaluate(sum, p, t, assemble::Mode::eval).count("total") == 0);
}

TEST_CASE("terms, weights and a total formula") {
  Model model = compare(
      "{terms: {a: {mean_squared_error: {prediction: y, target: t}, weight: 2}, b: \"abs(y - "
      "t)\"}, "
      "total: \"a + 10*b\"}",
      {}, field("t", {}, abi::DType::f64));
  const Tensors out = evaluate(model, tensor({2}, {1, 3}), tensor({2}, {0, 0}));
  check_close(out.at("loss.a"), {2, 18});
  check_close(out.at("loss.b"), {1, 3});
  check_close(out.at("loss"), {12, 48});
  check_close(out.at("total"), {30});
}

TEST_CASE("penalties: over kernels, not biases; a layer's own instead") {
  const std::string layers =
      "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {p: p.npy, t: t.npy}}\n"
      "model:\n  inputs: [p]\n  layers:\n"
      "    - dense: 2\n      name: a\n"
      "    - dense: 1\n      name: b\n      penalty: {l1: 0.5}\n"
      "    - dense: 1\n      name: c\n      freeze: true\n"
      "loss:\n  mean_squared_error: {prediction: c, target: t}\n  penalty: {l2: 0.1}\n"
      "train: {epochs: 1, optimizer: sgd}\n";
  Model model = load(layers, {field("p", {1}, abi::DType::f64), field("t", {}, abi::DType::f64)});
  const assemble::Forward forward = model.forward(assemble::Mode::train);
  const Tensors out = ir::evaluate(*forward.graph,
                                   {{"p", tensor({1, 1}, {0})},
                                    {"t", tensor({1}, {100})},
                                    {"a.kernel", tensor({1, 2}, {1, -2})},
                                    {"a.bias", tensor({2}, {0, 0})},
                                    {"b.kernel", tensor({2, 1}, {3, -1})},
                                    {"b.bias", tensor({1}, {0})},
                                    {"c.kernel", tensor({1, 1}, {9})},
                                    {"c.bias", tensor({1}, {100})},
                                    {"inverse_rows", scalar(1)}},
                                   {.batch = 1});
  // a: 0.1·(1 + 4), b: 0.5·(3 + 1)
  check_close(out.at("loss.penalty"), {2.5});
  check_close(out.at("total"), {2.5});
  CHECK(forward.loss_terms == std::vector<std::string>{"mean_squared_error", "penalty"});
}

TEST_CASE("label smoothing spreads a share of the target over all classes") {
  const double l2 = std::log(2.0), l5 = std::log(5.0), l8 = std::log(8.0);
  const ir::Tensor logits = tensor({1, 3}, {0, l2, l5});
  // 0.7·-log p_2 + 0.1·Σ -log p
  const double expected = 0.7 * (l8 - l5) + 0.1 * (3 * l8 - l2 - l5);
  const std::string smooth = "logits: y, label_smoothing: 0.3";
  check_rows(loss_rows("cross_entropy", smooth, logits, tensor({1}, {2}), 3), {expected});
  check_rows(loss_rows("cross_entropy", smooth, logits, tensor({1, 3}, {0, 0, 1})), {expected});
}

TEST_CASE("focal loss of classes and of labels") {
  const double l2 = std::log(2.0), l3 = std::log(3.0), l5 = std::log(5.0);
  const ir::Tensor logits = tensor({1, 3}, {0, l2, l5});  // 1/8, 2/8, 5/8
  const double plain = 0.75 * 0.75 * std::log(4.0);
  check_rows(loss_rows("focal", "logits: y", logits, tensor({1}, {1}), 3), {plain});
  check_rows(loss_rows("focal", "logits: y", logits, tensor({1, 3}, {0, 1, 0})), {plain});
  check_rows(
      loss_rows("focal", "logits: y, gamma: 0, alpha: [1, 3, 5]", logits, tensor({1}, {1}), 3),
      {3 * std::log(4.0)});
  check_rows(loss_rows("focal", "logits: y, gamma: 0.5, alpha: 2", logits, tensor({1}, {1}), 3),
             {2 * std::sqrt(0.75) * std::log(4.0)});
  // sigmoid(log 3) = 3/4, as torchvision's sigmoid_focal_loss.
  check_rows(loss_rows("binary_focal", "logits: y, alpha: 0.25", tensor({2}, {l3, l3}),
                       tensor({2}, {1, 0})),
             {0.25 * -std::log(0.75) / 16, 0.75 * -std::log(0.25) * 9 / 16});
  check_rows(loss_rows("binary_focal", "probability: y, gamma: 1", tensor({2}, {0.75, 0.75}),
                       tensor({2}, {1, 0})),
             {-std::log(0.75) / 4, -std::log(0.25) * 0.75});
}

TEST_CASE("hinge losses") {
  check_rows(loss_rows("hinge", "prediction: y", tensor({4}, {0.25, -3, 2, 0.5}),
                       tensor({4}, {1, 1, 1, 0})),
             {0.75, 4, 0, 1.5});
  check_rows(loss_rows("hinge", "prediction: y, squared: true, margin: 2", tensor({1}, {0.5}),
                       tensor({1}, {1})),
             {2.25});
  const ir::Tensor scores = tensor({1, 3}, {0.5, 1, 0.75});
  // Class 0: the others exceed it by 1.5 and 1.25.
  check_rows(loss_rows("multiclass_hinge", "prediction: y", scores, tensor({1}, {0}), 3),
             {2.75 / 3});
  check_rows(loss_rows("multiclass_hinge", "prediction: y, of: worst", scores, tensor({1}, {0}), 3),
             {1.5});
  check_rows(loss_rows("multiclass_hinge", "prediction: y, of: worst, squared: true", scores,
                       tensor({1, 3}, {1, 0, 0})),
             {2.25});
  check_rows(
      loss_rows("multiclass_hinge", "prediction: y, margin: 0.1", scores, tensor({1}, {1}), 3),
      {0});
}

namespace {

double divergence_of(const std::string& from, const std::string& to) {
  Model model = compare("{terms: {kl: {kl_divergence: {from: " + from + ", to: " + to + "}}}}", {2},
                        field("t", {2}, abi::DType::f64));
  return evaluate(model, tensor({1, 2}, {0.3, 0.7}), tensor({1, 2}, {0.6, 0.4}))
      .at("loss.kl")
      .data[0];
}

}  // namespace

TEST_CASE("Kullback-Leibler divergence between distributions of one kind") {
  // y = [0.3, 0.7], t = [0.6, 0.4]
  const auto standard = [](double mu, double lv) {
    return 0.5 * (std::exp(lv) + mu * mu - 1 - lv);
  };
  CHECK(divergence_of("{normal: {mean: y, log_variance: t}}", "standard_normal") ==
        doctest::Approx(standard(0.3, 0.6) + standard(0.7, 0.4)));
  const auto normal = [](double m1, double s1, double m2, double s2) {
    return std::log(s2 / s1) + (s1 * s1 + (m1 - m2) * (m1 - m2)) / (2 * s2 * s2) - 0.5;
  };
  CHECK(divergence_of("{normal: {mean: y, deviation: t}}", "{normal: {mean: t, deviation: y}}") ==
        doctest::Approx(normal(0.3, 0.6, 0.6, 0.3) + normal(0.7, 0.4, 0.4, 0.7)));
  const auto bernoulli = [](double p, double q) {
    return p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
  };
  CHECK(divergence_of("{bernoulli: {probability: y}}", "{bernoulli: {probability: t}}") ==
        doctest::Approx(bernoulli(0.3, 0.6) + bernoulli(0.7, 0.4)));
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  CHECK(divergence_of("{bernoulli: {logits: y}}", "{bernoulli: {logits: t}}") ==
        doctest::Approx(bernoulli(sigmoid(0.3), sigmoid(0.6)) +
                        bernoulli(sigmoid(0.7), sigmoid(0.4))));
  CHECK(divergence_of("{categorical: {probability: y}}", "{categorical: {probability: t}}") ==
        doctest::Approx(0.3 * std::log(0.3 / 0.6) + 0.7 * std::log(0.7 / 0.4)));
  const double a = sigmoid(-0.4), b = sigmoid(0.2);  // of two classes, by the difference of logits
  CHECK(divergence_of("{categorical: {logits: y}}", "{categorical: {logits: t}}") ==
        doctest::Approx(bernoulli(a, b)));
}
