// Metrics: their statistics per row, and which pair they compare.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

Model with_metrics(const std::string& loss, const std::string& metrics,
                   const std::vector<int64_t>& prediction_row, const assemble::FieldInfo& target) {
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
  return ir::evaluate(*model.forward(assemble::Mode::eval).graph,
                      {{"p", p}, {"t", t}, {"w", scalar(1)}}, {.batch = p.shape[0]});
}

const assemble::FieldInfo number = field("t", {}, abi::DType::f64);
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
  const assemble::Forward forward = model.forward(assemble::Mode::eval);
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
  CHECK(model.forward(assemble::Mode::eval).metrics[1].finalize == abi::Finalize::root_mean);
}

TEST_CASE("r2 of several numbers: predictions, then targets") {
  Model model = with_metrics(mse, "[r2]", {2}, field("t", {2}, abi::DType::f64));
  check_close(
      evaluate(model, tensor({2, 2}, {1, 4, 2, 5}), tensor({2, 2}, {3, 3, 6, 7})).at("metric.r2"),
      {1, 4, 3, 3, 2, 5, 6, 7});
  CHECK(model.forward(assemble::Mode::eval).metrics[0].classes == 2);
}

// log_loss of scikit-learn 1.x: the means of these.
TEST_CASE("log loss is -log of the probability of the target") {
  const ir::Tensor scores = tensor({2, 3}, {.7, .2, .1, .2, .2, .6});
  const assemble::FieldInfo index = field("t", {}, abi::DType::i32, 3);
  Model given =
      with_metrics("{cross_entropy: {probability: y, target: t}}", "[log_loss]", {3}, index);
  check_close(evaluate(given, scores, tensor({2}, {0, 1})).at("metric.log_loss"),
              {-std::log(.7), -std::log(.2)});
  Model certain = with_metrics("{cross_entropy: {probability: y, target: t}}", "[log_loss]", {2},
                               field("t", {2}, abi::DType::f64));
  check_close(evaluate(certain, tensor({2, 2}, {1, 0, 1, 0}), tensor({2, 2}, {1, 0, 0, 1}))
                  .at("metric.log_loss"),
              {0, -std::log(1e-15)});
  Model logits = with_metrics("{cross_entropy: {logits: y, target: t}}", "[log_loss]", {3}, index);
  check_close(evaluate(logits, tensor({1, 3}, {0, std::log(2.0), std::log(5.0)}), tensor({1}, {1}))
                  .at("metric.log_loss"),
              {std::log(4.0)});
  Model binary = with_metrics("{binary_cross_entropy: {probability: y, target: t}}", "[log_loss]",
                              {1}, number);
  check_close(evaluate(binary, tensor({4, 1}, {.9, .2, .6, 1}), tensor({4}, {1, 0, 1, 0}))
                  .at("metric.log_loss"),
              {-std::log(.9), -std::log(.8), -std::log(.6), -std::log(1e-15)});
  Model of_logits =
      with_metrics("{binary_cross_entropy: {logits: y, target: t}}", "[log_loss]", {1}, number);
  check_close(evaluate(of_logits, tensor({3, 1}, {0, 20, -90}), tensor({3}, {1, 1, 1}))
                  .at("metric.log_loss"),
              {std::log(2.0), std::log1p(std::exp(-20)), -std::log(1e-15)});
  Model numbers = with_metrics(mse, "[log_loss]", {}, number);
  CHECK(numbers.errors(assemble::Mode::eval).find("log_loss compares probabilities or logits") !=
        std::string::npos);
}

TEST_CASE("averages have names of their own; balanced accuracy and mcc look at all classes") {
  Model model = with_metrics("{binary_cross_entropy: {probability: y, target: t}}",
                             "[f1, {f1: {average: weighted}}, {f1: {average: micro}}, "
                             "balanced_accuracy, mcc, average_precision]",
                             {1}, number);
  const assemble::Forward forward = model.forward(assemble::Mode::eval);
  std::vector<std::string> names;
  for (const abi::MetricDesc& metric : forward.metrics) names.push_back(metric.name);
  CHECK(names == std::vector<std::string>{"f1", "f1_weighted", "f1_micro", "balanced_accuracy",
                                          "mcc", "average_precision"});
  CHECK(forward.metrics[0].chosen == 1);
  for (size_t i : {1, 2, 3, 4}) CHECK(forward.metrics[i].chosen == -1);
  CHECK(forward.metrics[1].average == abi::Average::weighted);
  CHECK(forward.metrics[2].average == abi::Average::micro);
  Model both = with_metrics("{binary_cross_entropy: {probability: y, target: t}}",
                            "[{f1: {average: micro, class: 1}}]", {1}, number);
  CHECK(both.errors(assemble::Mode::eval).find("f1 of one class has nothing to average") !=
        std::string::npos);
}

TEST_CASE("a metric names its own pair, or takes the only one there is") {
  Model named =
      with_metrics("{terms: {f: \"y^2\"}}", "[{mae: {prediction: y, target: t}}]", {}, number);
  check_close(evaluate(named, tensor({1}, {1}), tensor({1}, {4})).at("metric.mae"), {3});
  Model none = with_metrics("{terms: {f: \"y^2\"}}", "[mae]", {}, number);
  CHECK(none.errors(assemble::Mode::eval).find("no loss term that compares two values") !=
        std::string::npos);
  Model several = with_metrics(
      "{terms: {a: {mean_squared_error: {prediction: y, target: t}}, "
      "b: {mean_squared_error: {prediction: p, target: t}}}}",
      "[mae]", {}, number);
  CHECK(several.errors(assemble::Mode::eval).find("several loss terms: 'a' and 'b'") !=
        std::string::npos);
  Model same = with_metrics(
      "{terms: {a: {mean_squared_error: {prediction: y, target: t}}, "
      "b: {huber: {prediction: y, target: t}}}}",
      "[mae]", {}, number);
  CHECK(same.errors(assemble::Mode::eval).empty());
}

TEST_CASE(
    "top_k counts the classes that stand before the target; a score that is no number loses") {
  Model model = with_metrics("{cross_entropy: {logits: y, target: t}}", "[{top_k: 2}, {top_k: 3}]",
                             {4}, field("t", {}, abi::DType::i32, 4));
  const double nan = std::nan("");
  const Tensors out = evaluate(model, tensor({6, 4}, {4, 3, 2, 1, 4, 3,   2, 1, 1, 1, 1, 1,
                                                      1, 1, 1, 1, 5, nan, 3, 4, 0, 1, 2, -9}),
                               tensor({6}, {1, 2, 1, 2, 1, 3}));
  check_close(out.at("metric.top_2"), {1, 0, 1, 0, 0, 0});
  check_close(out.at("metric.top_3"), {1, 1, 1, 1, 0, 0});
}

TEST_CASE("top_k that cannot fail is refused, and so is a class that is not there") {
  const assemble::FieldInfo label = field("t", {}, abi::DType::i32, 3);
  const std::string loss = "{cross_entropy: {logits: y, target: t}}";
  Model all = with_metrics(loss, "[{top_k: 3}]", {3}, label);
  CHECK(all.errors(assemble::Mode::eval).find("less than 3, the number of classes") !=
        std::string::npos);
  Model none = with_metrics(loss, "[{precision: {class: 3}}]", {3}, label);
  CHECK(none.errors(assemble::Mode::eval).find("there is no such class") != std::string::npos);
}

TEST_CASE("precision, recall and f1 count decisions; one score stands for class 1") {
  Model model = with_metrics("{cross_entropy: {logits: y, target: t}}",
                             "[precision, {recall: {class: 2}}, f1]", {3},
                             field("t", {}, abi::DType::i32, 3));
  const Tensors out = evaluate(model, tensor({2, 3}, {1, 2, 3, 5, 5, 0}), tensor({2}, {2, 1}));
  check_close(out.at("metric.precision"), {2, 2, 1, 0});
  const assemble::Forward forward = model.forward(assemble::Mode::eval);
  CHECK(forward.metrics[0].chosen == -1);
  CHECK(forward.metrics[1].chosen == 2);
  CHECK(forward.metrics[2].finalize == abi::Finalize::f1);
  CHECK(forward.metrics[2].more_is_better);
  Model binary =
      with_metrics("{binary_cross_entropy: {logits: y, target: t}}", "[recall]", {}, number);
  CHECK(binary.forward(assemble::Mode::eval).metrics[0].chosen == 1);
}

TEST_CASE("auc ranks probabilities of classes, or one score by a condition") {
  Model classes = with_metrics("{cross_entropy: {logits: y, target: t}}", "[auc, roc]", {2},
                               field("t", {}, abi::DType::i32, 2));
  const double e = std::exp(1.0);
  check_close(evaluate(classes, tensor({2, 2}, {0, 1, 4, 4}), tensor({2}, {1, 0})).at("metric.auc"),
              {1 / (1 + e), e / (1 + e), 1, 0.5, 0.5, 0});
  CHECK(classes.forward(assemble::Mode::eval).metrics.size() == 2);
  CHECK(classes.forward(assemble::Mode::train).metrics.size() == 1);  // no curve while training

  Model score = with_metrics(mse, "[{auc: {score: y, positive: \"t > 2\"}}]", {}, number);
  check_close(evaluate(score, tensor({3}, {0.5, -7, 9}), tensor({3}, {1, 2, 3})).at("metric.auc"),
              {0.5, 0, -7, 0, 9, 1});
  CHECK(score.forward(assemble::Mode::eval).metrics[0].classes == 1);
}

TEST_CASE("psnr in decibels, with a bound for exact copies") {
  Model model = with_metrics("{mean_squared_error: {prediction: y, target: t}}",
                             "[psnr, {psnr: {prediction: y, target: t, data_range: 255}}]", {2, 2},
                             field("t", {2, 2}, abi::DType::f64));
  const Tensors out = evaluate(model, tensor({2, 2, 2}, {0.1, 0.1, 0.1, 0.1, 1, 2, 3, 4}),
                               tensor({2, 2, 2}, {0, 0, 0, 0, 1, 2, 3, 4}));
  check_close(out.at("metric.psnr"), {20, 100}, 1e-9);
  check_close(out.at("metric.psnr_2"), {20 + 20 * std::log10(255.0), 100}, 1e-9);
}

namespace {

// The definition, one window at a time: Wang et al. 2004, equation 13 with Gaussian weights.
double plain_ssim(const double* x, const double* y, int64_t height, int64_t width, int64_t channels,
                  int64_t window, double range) {
  const double c1 = std::pow(0.01 * range, 2), c2 = std::pow(0.03 * range, 2);
  double total = 0;
  int64_t places = 0;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t top = 0; top + window <= height; ++top) {
      for (int64_t left = 0; left + window <= width; ++left, ++places) {
        double weights = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
        for (int64_t i = 0; i < window; ++i) {
          for (int64_t j = 0; j < window; ++j) {
            const auto di = static_cast<double>(i - window / 2);
            const auto dj = static_cast<double>(j - window / 2);
            const double w = std::exp(-(di * di + dj * dj) / (2 * 1.5 * 1.5));
            const int64_t at = ((top + i) * width + left + j) * channels + c;
            weights += w;
            mx += w * x[at];
            my += w * y[at];
            xx += w * x[at] * x[at];
            yy += w * y[at] * y[at];
            xy += w * x[at] * y[at];
          }
        }
        mx /= weights, my /= weights;
        const double vx = xx / weights - mx * mx, vy = yy / weights - my * my;
        const double covariance = xy / weights - mx * my;
        total += (2 * mx * my + c1) * (2 * covariance + c2) /
                 ((mx * mx + my * my + c1) * (vx + vy + c2));
      }
    }
  }
  return total / static_cast<double>(places);
}

}  // namespace

TEST_CASE("ssim is that of the paper, over odd shapes") {
  struct Shape {
    int64_t height, width, channels, window;
    double range;
  };
  for (const Shape s : {Shape{11, 11, 1, 11, 1}, Shape{13, 17, 3, 11, 1}, Shape{7, 9, 2, 7, 255},
                        Shape{3, 28, 1, 3, 2}}) {
    CAPTURE(s.height);
    const std::vector<int64_t> row{s.height, s.width, s.channels};
    const std::string arguments = "{prediction: y, target: t, window: " + std::to_string(s.window) +
                                  ", data_range: " + std::to_string(s.range) + "}";
    Model model =
        with_metrics("{mean_squared_error: {prediction: y, target: t}}",
                     "[{ssim: " + arguments + "}]", row, field("t", row, abi::DType::f64));
    const ir::Tensor x = random_tensor({2, s.height, s.width, s.channels}, 3);
    ir::Tensor y = random_tensor({2, s.height, s.width, s.channels}, 4);
    const auto n = static_cast<size_t>(s.height * s.width * s.channels);
    std::copy_n(x.data.begin(), n, y.data.begin());  // the first row is an exact copy
    const double other = plain_ssim(x.data.data() + n, y.data.data() + n, s.height, s.width,
                                    s.channels, s.window, s.range);
    CHECK(std::abs(other) < 0.99);
    check_close(evaluate(model, x, y).at("metric.ssim"), {1, other}, 1e-9);
  }
}

TEST_CASE(
    "mixup mixes what a loss compares, in training only; conditions see the row's own label") {
  Model model = load(
      "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {p: p.npy, t: t.npy}}\n"
      "  fields: {t: {classes: 3}, p: {augment: [{mixup: 0.2}], prepare: [{scale: 10}]}}\n"
      "model:\n  inputs: [p]\n  layers:\n    - expr: \"p\"\n      name: y\n"
      "    - expr: \"sum(p)\"\n      name: score\n"
      "loss: {cross_entropy: {probability: y, target: t}}\n"
      "metrics: [{auc: {score: score, positive: \"t == 2\"}}]\n",
      {field("p", {3}, abi::DType::f64), field("t", {}, abi::DType::i32, 3)});
  const double share = 0.75;
  const Tensors inputs{{"p", tensor({1, 3}, {0.1, 0.2, 0.3})},
                       {"p:mixup", tensor({1, 3}, {0.5, 0.1, 0.7})},
                       {"t", tensor({1}, {2})},
                       {"t:mixup", tensor({1}, {0})},
                       {"mixup:share", tensor({1}, {share})}};
  const Tensors out =
      ir::evaluate(*model.forward(assemble::Mode::train).graph, inputs, {.batch = 1});
  const double first = 10 * (share * 0.1 + (1 - share) * 0.5);
  const double last = 10 * (share * 0.3 + (1 - share) * 0.7);
  check_close(out.at("loss.cross_entropy"),
              {-share * std::log(last) - (1 - share) * std::log(first)});
  CHECK(out.at("metric.auc").data.at(1) == 1);
  const Tensors plain = ir::evaluate(*model.forward(assemble::Mode::eval).graph,
                                     {{"p", inputs.at("p")}, {"t", inputs.at("t")}}, {.batch = 1});
  check_close(plain.at("loss.cross_entropy"), {-std::log(3.0)});
}
