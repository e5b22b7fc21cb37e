// Metrics: their statistics per row, and which pair they compare.
#include <doctest/doctest.h>

#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

Model with_metrics(const std::string& loss, const std::string& metrics,
                   const std::vector<int64_t>& prediction_row, const spec::FieldInfo& target) {
  const std::string labels =
      target.classes > 0 ? "  fields: {t: {classes: " + std::to_string(target.classes) + "}}\n"
                         : "";
  return load("nnc: 1\nprecision: f64\ndata:\n  train: {npy: {p: p.npy, t: t.npy}}\n" + labels +
                  "model:\n  inputs: [p]\n  params: {w: 1}\n  layers:\n    - expr: \"w*p\"\n"
                  "      name: y\nloss: " +
                  loss + "\nmetrics: " + metrics + "\ntrain: {epochs: 1, optimizer: sgd}\n",
              {field("p", prediction_row, abi::DType::f64), target});
}

Tensors evaluate(Model& model, const ir::Tensor& p, const ir::Tensor& t) {
  return ir::evaluate(*model.forward(spec::Mode::eval).graph,
                      {{"p", p}, {"t", t}, {"w", scalar(1)}}, {.batch = p.shape[0]});
}

const spec::FieldInfo number = field("t", {}, abi::DType::f64);
const std::string mse = "{mean_squared_error: {prediction: y, target: t}}";

}  // namespace

TEST_CASE("accuracy and confusion take the first largest score") {
  Model model = with_metrics("{cross_entropy: {logits: y, target: t}}", "[accuracy, confusion]",
                             {3}, field("t", {}, abi::DType::i32, 3));
  const Tensors out = evaluate(model, tensor({4, 3}, {1, 2, 3, 5, 5, 0, 0, 7, 7, -1, -3, -2}),
                               tensor({4}, {2, 1, 1, 0}));
  CHECK(out.at("metric.accuracy").shape == std::vector<int64_t>{4, 1});
  check_close(out.at("metric.accuracy"), {1, 0, 1, 1});
  check_close(out.at("metric.confusion"), {2, 2, 1, 0, 1, 1, 0, 0});
  const spec::Forward forward = model.forward(spec::Mode::eval);
  REQUIRE(forward.metrics.size() == 2);
  CHECK(forward.metrics[0].finalize == abi::Finalize::mean);
  CHECK(forward.metrics[1].finalize == abi::Finalize::confusion);
  CHECK(forward.metrics[1].classes == 3);
}

TEST_CASE("accuracy of one-hot targets") {
  Model model = with_metrics("{cross_entropy: {logits: y, target: t}}", "[accuracy]", {2},
                             field("t", {2}, abi::DType::f64));
  check_close(evaluate(model, tensor({2, 2}, {1, 2, 1, 2}), tensor({2, 2}, {0, 1, 1, 0}))
                  .at("metric.accuracy"),
              {1, 0});
}

TEST_CASE("accuracy of one score: one half for numbers and probabilities, zero for logits") {
  const ir::Tensor p = tensor({4, 1}, {0.4, 0.6, -0.1, 0.6});
  const ir::Tensor t = tensor({4}, {0, 1, 0, 0});
  Model numbers = with_metrics(mse, "[accuracy]", {1}, number);
  check_close(evaluate(numbers, p, t).at("metric.accuracy"), {1, 1, 1, 0});
  Model logits =
      with_metrics("{binary_cross_entropy: {logits: y, target: t}}", "[accuracy]", {1}, number);
  check_close(evaluate(logits, p, t).at("metric.accuracy"), {0, 1, 1, 0});
}

TEST_CASE("mae, rmse and r2 per row") {
  Model model = with_metrics(mse, "[mae, rmse, r2]", {}, number);
  const Tensors out = evaluate(model, tensor({2}, {1, 4}), tensor({2}, {3, 3}));
  check_close(out.at("metric.mae"), {2, 1});
  check_close(out.at("metric.rmse"), {4, 1});
  check_close(out.at("metric.r2"), {1, 3, 4, 3});
  CHECK(model.forward(spec::Mode::eval).metrics[1].finalize == abi::Finalize::root_mean);
}

TEST_CASE("a metric names its own pair, or takes the only one there is") {
  Model named =
      with_metrics("{terms: {f: \"y^2\"}}", "[{mae: {prediction: y, target: t}}]", {}, number);
  check_close(evaluate(named, tensor({1}, {1}), tensor({1}, {4})).at("metric.mae"), {3});
  Model none = with_metrics("{terms: {f: \"y^2\"}}", "[mae]", {}, number);
  CHECK(none.errors(spec::Mode::eval).find("no loss term that compares two values") !=
        std::string::npos);
  Model several = with_metrics(
      "{terms: {a: {mean_squared_error: {prediction: y, target: t}}, "
      "b: {mean_squared_error: {prediction: p, target: t}}}}",
      "[mae]", {}, number);
  CHECK(several.errors(spec::Mode::eval).find("several loss terms: 'a' and 'b'") !=
        std::string::npos);
  Model same = with_metrics(
      "{terms: {a: {mean_squared_error: {prediction: y, target: t}}, "
      "b: {huber: {prediction: y, target: t}}}}",
      "[mae]", {}, number);
  CHECK(same.errors(spec::Mode::eval).empty());
}
