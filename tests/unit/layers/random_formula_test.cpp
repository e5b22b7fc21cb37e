// Random numbers in formulas: which modes draw, what the draws depend on, and ramps.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

// Layers over a field x of [2] per row, a parameter w = 1, and the loss term `a`.
Model model_of(const std::string& layers, const std::string& term) {
  return load(
      "nnc: 1\nprecision: f64\nsettings: {beta: {ramp: {from: 0, to: 2, epochs: 10}}}\n"
      "data:\n  train: {npy: {x: x.npy}}\nmodel:\n  inputs: [x]\n  params: {w: 1}\n  layers:\n" +
          layers + "  outputs: {y: x}\nloss: {terms: {a: \"" + term + "\"}}\n" +
          "train: {epochs: 1, batch: 4, optimizer: sgd}\n",
      {field("x", {2}, abi::DType::f64)});
}

std::vector<double> term_of(Model& model, assemble::Mode mode, const Tensors& scalars,
                            int64_t rows = 4) {
  const assemble::Forward forward = model.forward(mode);
  Tensors numbers = {{"x", random_tensor({rows, 2}, 1)},
                     {"w", scalar(1)},
                     {"inverse_rows", scalar(0.25)},
                     {"seed", scalar(7)}};
  for (const auto& [name, value] : scalars) numbers[name] = value;
  return ir::evaluate(*forward.graph, numbers, {.batch = rows}).at("loss.a").data;
}

const std::string plain = "    - expr: \"w*x\"\n      name: h\n";
const std::string noisy =
    "    - expr: \"w*x + normal(shape(x))\"\n      name: z\n      predict: \"w*x\"\n";

}  // namespace

TEST_CASE("a random formula draws anew in each step, and by its layer's name alone") {
  Model first = model_of(noisy, "sum(z)");
  Model moved = model_of(plain + noisy, "sum(z) + 0*sum(h)");
  const auto at = [](Model& model, double step) {
    return term_of(model, assemble::Mode::train, {{"step", scalar(step)}});
  };
  CHECK(at(first, 1) == at(moved, 1));
  CHECK(at(first, 1) != at(first, 2));
}

TEST_CASE("in an evaluation a row gets the same random numbers in every batch") {
  Model model = model_of(noisy, "sum(z - w*x)");
  const auto rows_from = [&](double first, int64_t rows) {
    return term_of(model, assemble::Mode::eval, {{"first_row", scalar(first)}}, rows);
  };
  const std::vector<double> whole = rows_from(0, 4), rest = rows_from(2, 2);
  CHECK(whole[2] == doctest::Approx(rest[0]));
  CHECK(whole[3] == doctest::Approx(rest[1]));
  CHECK(whole[0] != whole[1]);
}

TEST_CASE("each call in a formula draws numbers of its own") {
  Model model = model_of(plain, "sum((normal(shape(h)) - normal(shape(h)))^2)");
  for (const double value : term_of(model, assemble::Mode::train, {{"step", scalar(1)}})) {
    CHECK(value > 0);
  }
}

TEST_CASE("a prediction takes what stands beside a random layer, and refuses to draw") {
  Model good = model_of(noisy, "sum(z)");
  CHECK(good.errors(assemble::Mode::predict).empty());
  Model unused = model_of("    - expr: \"normal(shape(x))*w\"\n      name: z\n", "sum(z)");
  CHECK(unused.errors(assemble::Mode::predict).empty());
}

TEST_CASE("the numbers of a distribution have its mean, deviation and shape") {
  const auto mean_of = [](const std::string& term) {
    Model model = model_of(plain, term);
    double sum = 0;
    constexpr int64_t rows = 4000;
    for (const double x : term_of(model, assemble::Mode::train, {{"step", scalar(1)}}, rows)) {
      sum += x / rows;
    }
    return sum;
  };
  CHECK(mean_of("normal(3, 2) + 0*sum(h)") == doctest::Approx(3).epsilon(0.05));
  CHECK(mean_of("(normal(3, 2) - 3)^2") == doctest::Approx(4).epsilon(0.1));
  CHECK(mean_of("uniform(2, 4)") == doctest::Approx(3).epsilon(0.02));
  CHECK(mean_of("sum(uniform([5]))") == doctest::Approx(2.5).epsilon(0.02));
  CHECK(mean_of("sum(bernoulli([0.2, 0.5]))") == doctest::Approx(0.7).epsilon(0.05));
}

TEST_CASE("a ramp is a number of the runtime in training and its end elsewhere") {
  Model model = model_of(plain, "$beta*sum(h/h)");
  const auto train = term_of(model, assemble::Mode::train, {{"ramp:0:2:10:epochs", scalar(0.5)}});
  CHECK(train[0] == doctest::Approx(1));
  CHECK(term_of(model, assemble::Mode::eval, {})[0] == doctest::Approx(4));
}
