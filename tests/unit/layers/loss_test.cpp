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
