// Optimizers against their formulas, step by step, on a loss whose gradient is known: w·g, g = x.
#include <doctest/doctest.h>

#include <cmath>

#include "compiler/assemble/update.h"
#include "compiler/autodiff/autodiff.h"
#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

// A training step of a model whose loss is the sum of w·x over a batch of one row.
class Trainer {
 public:
  explicit Trainer(const std::string& train, const std::string& parameter = "1.0") {
    Model model = load(
        "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy}}\n"
        "model:\n  inputs: [x]\n  params: {w: " +
            parameter +
            "}\n"
            "  layers:\n    - expr: \"w*x\"\n      name: y\n"
            "loss: {terms: {t: \"y\"}}\ntrain: {epochs: 1, " +
            train + "}\n",
        {field("x", {}, abi::DType::f64)});
    forward_.emplace(model.forward(assemble::Mode::train));
    const auto gradients =
        autodiff::gradients(*forward_->graph, forward_->total(), forward_->trainable());
    assemble::append_update(*forward_, gradients, model.description,
                            assemble::step_entries(model.description).front(), model.diagnostics);
    REQUIRE(!model.diagnostics.has_errors());
    ir::verify(*forward_->graph);
    for (const abi::StateDesc& state : forward_->states) states_[state.name] = scalar(0);
    states_["w"] = scalar(1);
  }

  // One step with gradient g; returns the new w.
  double step(double gradient, double rate) {
    ++step_;
    Tensors params = states_;
    params["x"] = tensor({1}, {gradient});
    params["inverse_rows"] = scalar(1);
    for (const ir::Param& param : forward_->graph->params) {
      if (param.kind != ir::ParamKind::scalar || params.count(param.external_name) > 0) continue;
      params[param.external_name] = scalar(run_time_number(param.external_name, rate));
    }
    const Tensors out = ir::evaluate(*forward_->graph, params, {.batch = 1});
    for (auto& [name, value] : states_) {
      if (out.count("state:" + name) > 0) value = out.at("state:" + name);
    }
    return states_.at("w").data[0];
  }

  const std::vector<abi::StateDesc>& states() const { return forward_->states; }

 private:
  double run_time_number(const std::string& name, double rate) const {
    if (name == "rate") return rate;
    const std::string prefix = "bias_correction:";
    REQUIRE(name.rfind(prefix, 0) == 0);
    return 1 / (1 - std::pow(std::stod(name.substr(prefix.size())), step_));
  }

  std::optional<assemble::Forward> forward_;
  Tensors states_;
  int step_ = 0;
};

const std::vector<double> gradients = {0.5, -2, 3, 0.25, 1e-3};

}  // namespace

TEST_CASE("sgd, with momentum, with Nesterov's") {
  for (const double momentum : {0.0, 0.9}) {
    for (const bool nesterov : {false, true}) {
      Trainer trainer("optimizer: {sgd: {rate: 0.1, momentum: " + std::to_string(momentum) +
                      ", nesterov: " + (nesterov ? "true" : "false") + "}}");
      double w = 1;
      double v = 0;
      for (const double g : gradients) {
        v = momentum * v + g;
        w -= 0.1 * (nesterov ? g + momentum * v : v);
        CHECK(trainer.step(g, 0.1) == doctest::Approx(w).epsilon(1e-12));
      }
      CHECK(trainer.states().size() == (momentum > 0 ? 2 : 1));
    }
  }
}

TEST_CASE("adam and adamw") {
  for (const std::string kind : {"adam", "adamw"}) {
    Trainer trainer("optimizer: {" + kind + ": {rate: 0.01}}");
    double w = 1;
    double m = 0;
    double v = 0;
    int t = 0;
    for (const double g : gradients) {
      ++t;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      w -= 0.01 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
      CHECK(trainer.step(g, 0.01) == doctest::Approx(w).epsilon(1e-12));
    }
    REQUIRE(trainer.states().size() == 3);
    CHECK(trainer.states()[1].name == "w:adam.m");
    CHECK(trainer.states()[1].kind == abi::StateKind::optimizer);
  }
}

TEST_CASE("weight decay changes kernels only") {
  const std::string head =
      "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy}}\nmodel:\n  inputs: [x]\n"
      "  layers:\n    - dense: 1\n      name: y\nloss: {terms: {t: \"0*sum(y)\"}}\n";
  const auto weights_after = [&](const std::string& optimizer) {
    Model model = load(head + "train: {epochs: 1, optimizer: {" + optimizer + "}}\n",
                       {field("x", {}, abi::DType::f64)});
    assemble::Forward forward = model.forward(assemble::Mode::train);
    const auto g = autodiff::gradients(*forward.graph, forward.total(), forward.trainable());
    assemble::append_update(forward, g, model.description,
                            assemble::step_entries(model.description).front(), model.diagnostics);
    Tensors params = {{"x", tensor({1}, {1})}, {"rate", scalar(0.1)}, {"inverse_rows", scalar(1)}};
    for (const ir::Param& param : forward.graph->params) {
      if (params.count(param.external_name) > 0) continue;
      const bool weight =
          param.kind == ir::ParamKind::state && param.external_name.find(':') == std::string::npos;
      ir::Tensor value{{}, {weight ? 2.0 : param.kind == ir::ParamKind::scalar ? 1.0 : 0.0}};
      for (const ir::Dim& dim : param.value->type.shape) value.shape.push_back(dim.size);
      params[param.external_name] = value;
    }
    const Tensors out = ir::evaluate(*forward.graph, params, {.batch = 1});
    return std::vector<double>{out.at("state:y.kernel").data[0], out.at("state:y.bias").data[0]};
  };
  // sgd: w - rate · decay · w; adamw the same, since its gradient is zero
  for (const std::string kind : {"sgd", "adamw"}) {
    const std::vector<double> w = weights_after(kind + ": {rate: 0.1, weight_decay: 0.5}");
    CHECK(w[0] == doctest::Approx(2 - 0.1 * 0.5 * 2));
    CHECK(w[1] == 2);
  }
  // adam: the decay enters the moments, and their first ratio is one
  CHECK(weights_after("adam: {rate: 0.1, weight_decay: 0.5}")[0] ==
        doctest::Approx(2 - 0.1 * (0.1 * 1.0) / std::sqrt(0.001)));
}

TEST_CASE("clipping by value and by norm") {
  Trainer by_value("optimizer: {sgd: {rate: 1}}, clip: {value: 0.5}");
  CHECK(by_value.step(3, 1) == 0.5);
  CHECK(by_value.step(-3, 1) == 1);
  CHECK(by_value.step(0.25, 1) == 0.75);
  Trainer by_norm("optimizer: {sgd: {rate: 1}}, clip: {norm: 2}");
  CHECK(by_norm.step(-8, 1) == 3);
  CHECK(by_norm.step(1, 1) == 2);
  CHECK(by_norm.step(0, 1) == 2);
}

TEST_CASE("the norm of a clip is that of all gradients together") {
  Model model = load(
      "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy}}\nmodel:\n  inputs: [x]\n"
      "  params: {a: 0, b: 0}\n  layers:\n    - expr: \"3*a*x + 4*b*x\"\n      name: y\n"
      "loss: {terms: {t: \"y\"}}\ntrain: {epochs: 1, optimizer: sgd, clip: {norm: 1}}\n",
      {field("x", {}, abi::DType::f64)});
  assemble::Forward forward = model.forward(assemble::Mode::train);
  const auto g = autodiff::gradients(*forward.graph, forward.total(), forward.trainable());
  assemble::append_update(forward, g, model.description,
                          assemble::step_entries(model.description).front(), model.diagnostics);
  const Tensors out = ir::evaluate(*forward.graph,
                                   {{"x", tensor({1}, {1})},
                                    {"a", scalar(0)},
                                    {"b", scalar(0)},
                                    {"rate", scalar(1)},
                                    {"inverse_rows", scalar(1)}},
                                   {.batch = 1});
  CHECK(out.at("state:a").data[0] == doctest::Approx(-0.6));
  CHECK(out.at("state:b").data[0] == doctest::Approx(-0.8));
}

TEST_CASE("a free parameter stays between its bounds") {
  Trainer trainer("optimizer: {sgd: {rate: 1}}", "{init: 1, min: -0.5, max: 1.5}");
  CHECK(trainer.step(10, 1) == -0.5);
  CHECK(trainer.step(-1, 1) == 0.5);
  CHECK(trainer.step(-10, 1) == 1.5);
}
