// Derivatives of layers and losses: against finite differences, and finite where values are
// extreme.
#include <doctest/doctest.h>

#include <cmath>

#include "compiler/autodiff/autodiff.h"
#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

// y = LAYER(w · x) and a loss of y: the total and its derivative with respect to w.
class Slope {
 public:
  Slope(const std::string& layer, const std::string& loss, int64_t width,
        const assemble::FieldInfo& target) {
    const std::string classes =
        target.classes > 0 ? "  fields: {t: {classes: " + std::to_string(target.classes) + "}}\n"
                           : "";
    Model model =
        load("nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy, t: t.npy}}\n" + classes +
                 "model:\n  inputs: [x]\n  params: {w: 1}\n  layers:\n    - expr: \"w*x\"\n" +
                 (layer.empty() ? "      name: y\n" : "    - " + layer + "\n      name: y\n") +
                 "loss: " + loss + "\ntrain: {epochs: 1, optimizer: sgd}\n",
             {field("x", {width}, abi::DType::f64), target});
    forward_.emplace(model.forward(assemble::Mode::train));
    ir::Value* w = forward_->trainable().at(0);
    forward_->graph->add_output("slope",
                                autodiff::gradients(*forward_->graph, forward_->total(), {w})[0]);
  }

  Tensors at(double w, const ir::Tensor& x, const ir::Tensor& t) const {
    const double rows = static_cast<double>(x.shape[0]);
    return ir::evaluate(*forward_->graph,
                        {{"w", scalar(w)}, {"x", x}, {"t", t}, {"inverse_rows", scalar(1 / rows)}},
                        {.batch = x.shape[0]});
  }

  void check(const ir::Tensor& x, const ir::Tensor& t) const {
    const double step = 1e-6;
    const double w = 0.9;
    const double above = at(w + step, x, t).at("total").data[0];
    const double below = at(w - step, x, t).at("total").data[0];
    const double slope = at(w, x, t).at("slope").data[0];
    CHECK(slope == doctest::Approx((above - below) / (2 * step)).epsilon(1e-6));
    CHECK(slope != 0);
  }

 private:
  std::optional<assemble::Forward> forward_;
};

const assemble::FieldInfo numbers = field("t", {4}, abi::DType::f64);
const assemble::FieldInfo index = field("t", {}, abi::DType::i32, 4);
const std::string mse = "{mean_squared_error: {prediction: y, target: t}}";

// Argument name and form: "- elu" needs a colon when `name` follows.
std::string as_layer(const std::string& activation) {
  return activation.find(':') == std::string::npos ? activation + ":" : activation;
}

}  // namespace

TEST_CASE("derivatives of activations") {
  for (const std::string activation :
       {"sigmoid", "tanh",        "relu",         "leaky_relu: 0.2", "elu: 0.7",
        "selu",    "gelu",        "gelu: tanh",   "swish: 1.5",      "softplus",
        "softmax", "log_softmax", "log_sigmoid",  "softsign",        "mish",
        "relu6",   "hard_tanh",   "hard_sigmoid", "hard_swish",      "celu: 0.7"}) {
    INFO(activation);
    const Slope slope(as_layer(activation), mse, 4, numbers);
    slope.check(random_tensor({5, 4}, 1), random_tensor({5, 4}, 2));
    const Tensors extreme = slope.at(1, tensor({2, 4}, {1000, -1000, 0, 1, -1e4, 1e4, 710, -745}),
                                     tensor({2, 4}, {0, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(std::isfinite(extreme.at("total").data[0]));
    CHECK(std::isfinite(extreme.at("slope").data[0]));
  }
}

TEST_CASE("derivatives of losses") {
  const ir::Tensor x = random_tensor({3, 4}, 3);
  ir::Tensor shares = random_tensor({3, 4}, 4);
  for (double& share : shares.data) share = 1 / (1 + std::exp(-share));
  const ir::Tensor labels = tensor({3}, {2, 0, 3});
  Slope("", mse, 4, numbers).check(x, shares);
  Slope("", "{mean_absolute_error: {prediction: y, target: t}}", 4, numbers).check(x, shares);
  Slope("", "{huber: {prediction: y, target: t, delta: 0.8}}", 4, numbers).check(x, shares);
  Slope("", "{cross_entropy: {logits: y, target: t}}", 4, index).check(x, labels);
  Slope("", "{cross_entropy: {logits: y, target: t}}", 4, numbers).check(x, shares);
  Slope("softmax:", "{cross_entropy: {probability: y, target: t}}", 4, index).check(x, labels);
  Slope("", "{binary_cross_entropy: {logits: y, target: t}}", 4, numbers).check(x, shares);
  Slope("sigmoid:", "{binary_cross_entropy: {probability: y, target: t}}", 4, numbers)
      .check(x, shares);
}

TEST_CASE("losses of logits stay finite where probabilities are zero or one") {
  const ir::Tensor x = tensor({2, 4}, {1e4, -1e4, 0, 5, -800, 800, 801, -1e4});
  for (const std::string loss : {"cross_entropy", "binary_cross_entropy"}) {
    const bool binary = loss[0] == 'b';
    const Slope slope("", "{" + loss + ": {logits: y, target: t}}", 4, binary ? numbers : index);
    const ir::Tensor target =
        binary ? tensor({2, 4}, {0, 1, 0, 1, 1, 0, 1, 0}) : tensor({2}, {1, 3});
    CHECK(std::isfinite(slope.at(1, x, target).at("total").data[0]));
    CHECK(std::isfinite(slope.at(1, x, target).at("slope").data[0]));
  }
}

TEST_CASE("the derivative of cross entropy is softmax minus target") {
  const Slope slope("", "{cross_entropy: {logits: y, target: t}}", 3,
                    field("t", {}, abi::DType::i32, 3));
  const double l2 = std::log(2.0);
  const double l5 = std::log(5.0);
  // softmax = [1/8, 2/8, 5/8]; d/dw of logits w·x is Σ x_c (softmax_c - target_c).
  const double expected = l2 * (0.25 - 1) + l5 * 0.625;
  CHECK(slope.at(1, tensor({1, 3}, {0, l2, l5}), tensor({1}, {1})).at("slope").data[0] ==
        doctest::Approx(expected));
}
