// Every loss at its edges: probabilities of exactly 0 and 1, targets of every kind, logits that
// saturate. Value and gradient of native code against the limit, in f32 and f64.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "compiler/assemble/forward.h"
#include "compiler/autodiff/autodiff.h"
#include "compiler/language/parse.h"
#include "compiler/layers/catalogue.h"
#include "compiler/layers/losses.h"
#include "compiler/passes/pass.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Edge {
  std::string loss;  // with {…} a loss of the table: NAME: {…}; else a formula
  std::string y;     // a formula of x, or layers after it
  std::vector<double> x, t;
  double value;
  std::vector<double> slope;  // by x; empty: the value is infinite
  int64_t classes = 0;
  std::vector<int64_t> x_row = {}, t_row = {};  // empty: [n], or [] for one number
};

std::vector<int64_t> row_of(const std::vector<int64_t>& given, const std::vector<double>& numbers) {
  if (!given.empty() || numbers.size() == 1) return given;
  return {static_cast<int64_t>(numbers.size())};
}

std::string text_of(const Edge& edge, const std::string& precision) {
  const std::string labels =
      edge.classes > 0 ? "  fields: {t: {classes: " + std::to_string(edge.classes) + "}}\n" : "";
  const bool formula = edge.loss.find('{') == std::string::npos;
  std::string layers = "    - expr: \"" + edge.y + "\"\n      name: y\n";
  if (edge.y[0] == '-' && edge.y[1] == ' ') layers = "    " + edge.y + "\n      name: y\n";
  return "nnc: 1\nprecision: " + precision + "\ndata:\n  train: {npy: {x: x.npy, t: t.npy}}\n" +
         labels + "model:\n  inputs: [x]\n  params: {w: 0}\n  layers:\n    - expr: \"x + w\"\n" +
         "      name: x0\n" + layers +
         "loss: " + (formula ? "{terms: {edge: \"" + edge.loss + "\"}}" : "{" + edge.loss + "}") +
         "\ntrain: {epochs: 1, batch: 1, optimizer: sgd}\n";
}

assemble::FieldInfo field(const std::string& name, const std::vector<int64_t>& row,
                          int64_t classes) {
  return {.name = name,
          .dtype = classes > 0 ? abi::DType::i32 : abi::DType::f64,
          .row_shape = row,
          .classes = classes,
          .vocabulary = {}};
}

ir::Tensor one_row(std::vector<int64_t> row, const std::vector<double>& numbers) {
  row.insert(row.begin(), 1);
  return {row, numbers};
}

// "total" and "slope" of native code.
test::Tensors run(const Edge& edge, const std::string& precision) {
  const std::string text = text_of(edge, precision);
  const auto x_row = row_of(edge.x_row, edge.x), t_row = row_of(edge.t_row, edge.t);
  Diagnostics diagnostics;
  const auto description =
      language::parse_text(text, "edge.yaml", {}, layers::catalogue(), diagnostics);
  INFO(text);
  REQUIRE(description.has_value());
  auto forward =
      assemble::build_forward(*description, {field("x", x_row, 0), field("t", t_row, edge.classes)},
                              assemble::Mode::train, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.sorted()) MESSAGE(render(diagnostic));
  REQUIRE(forward.has_value());
  ir::Graph& graph = *forward->graph;
  passes::PassOptions checked;
  checked.verify_each = true;
  passes::run_passes(graph, passes::canonical_passes(), checked);
  ir::Value* x = nullptr;
  for (const ir::Param& param : graph.params)
    if (param.external_name == "x") x = param.value.get();
  graph.add_output("slope", autodiff::gradients(graph, forward->total(), {x}).front());
  return test::run_native(graph,
                          {{"x", one_row(x_row, edge.x)},
                           {"t", one_row(t_row, edge.t)},
                           {"w", {{}, {0}}},
                           {"inverse_rows", {{}, {1}}}},
                          {.isa = test::runnable_isas().back()});
}

void check(const Edge& edge) {
  for (const std::string precision : {"f32", "f64"}) {
    const bool single = precision == "f32";
    CAPTURE(edge.loss);
    CAPTURE(edge.y);
    CAPTURE(edge.x);
    CAPTURE(edge.t);
    CAPTURE(precision);
    const test::Tensors found = run(edge, precision);
    const double value = found.at("total").data.at(0);
    // A few units in the last place of numbers that went through one sum.
    const double tolerance = single ? 2e-6 : 1e-14;
    if (std::isinf(edge.value)) {
      CHECK(value == edge.value);
      continue;
    }
    CHECK(value == doctest::Approx(edge.value).epsilon(tolerance).scale(1));
    const std::vector<double>& slope = found.at("slope").data;
    REQUIRE(slope.size() == edge.slope.size());
    for (size_t i = 0; i < slope.size(); ++i)
      CHECK(slope[i] == doctest::Approx(edge.slope[i]).epsilon(tolerance).scale(1));
  }
}

const std::string bce = "binary_cross_entropy: {probability: y, target: t}";
const std::string bce_logits = "binary_cross_entropy: {logits: y, target: t}";
const std::string ce = "cross_entropy: {probability: y, target: t}";
const std::string ce_logits = "cross_entropy: {logits: y, target: t}";

double below(double logit) { return std::log1p(std::exp(-logit)); }  // -log(sigmoid), logit > 0
double tail(double logit) { return 1 / (1 + std::exp(logit)); }      // 1 - sigmoid

std::vector<Edge> edges_of_numbers() {
  const std::string arguments = ": {prediction: y, target: t}";
  return {
      {"mean_squared_error" + arguments, "x0", {3}, {3}, 0, {0}},
      {"mean_squared_error" + arguments, "x0", {1000}, {-1000}, 4e6, {4000}},
      {"mean_absolute_error" + arguments, "x0", {3}, {3}, 0, {0}},
      {"mean_absolute_error" + arguments, "x0", {-1000, 2}, {1000, 2}, 1000, {-0.5, 0}},
      {"huber" + arguments, "x0", {3}, {3}, 0, {0}},
      {"huber" + arguments, "x0", {4, 1e6}, {3, 0}, (0.5 + 1e6 - 0.5) / 2, {0.5, 0.5}},
  };
}

std::vector<Edge> edges_of_labels() {
  std::vector<Edge> all;
  const std::vector<std::string> units = {"sigmoid(x0)",           "1/(1 + exp(-x0))",
                                          "exp(x0)/(1 + exp(x0))", "1 - sigmoid(-x0)",
                                          "(1 + tanh(x0/2))/2",    "exp(-softplus(-x0))"};
  for (const std::string& unit : units) {  // a unit [1] against a number [], and against [1]
    for (const std::vector<int64_t>& t_row : {std::vector<int64_t>{}, std::vector<int64_t>{1}}) {
      const auto add = [&](double x, double t, double value, double slope, int64_t classes = 0) {
        if (unit[0] == 'e' && unit[4] == '-' && x > 0 && t < 1) return;  // 1 - exp is no form
        all.push_back({bce, unit, {x}, {t}, value, {slope}, classes, {1}, t_row});
      };
      add(20, 1, below(20), -tail(20));
      add(20, 1, below(20), -tail(20), 2);
      add(1000, 1, 0, 0);
      add(1000, 0, 1000, 1);
      add(-1000, 1, 1000, -1);
      add(-1000, 0, 0, 0);
      add(1000, 0.25, 750, 0.75);
      add(-1000, 0.25, 250, -0.25);
    }
  }
  const std::vector<double> x = {1000, -1000, 20, 3}, t = {1, 1, 0, 0};
  const double sum = 0 + 1000 + (20 + below(20)) + (3 + below(3));
  const std::vector<double> slope = {0, -0.25, (1 - tail(20)) / 4, (1 - tail(3)) / 4};
  for (const std::string y : {"sigmoid(x0)", "transpose(transpose(sigmoid(x0)))"})
    all.push_back({bce, y, x, t, sum / 4, slope});
  all.push_back({bce, "- sigmoid:", x, t, sum / 4, slope});
  all.push_back({bce,
                 "sigmoid(x0)[..., 0:2]",
                 {-1000, 20, 7},
                 {1, 0},
                 (1020 + below(20)) / 2,
                 {-0.5, (1 - tail(20)) / 2, 0}});
  all.push_back({bce, "- sigmoid\n    - flatten:", x, t, sum / 4, slope, 0, {2, 2}});
  all.push_back({bce, "- sigmoid\n    - reshape: [2, 2]", x, t, sum / 4, slope, 0, {4}, {2, 2}});
  all.push_back(
      {bce, "clip(sigmoid(x0), 1e-8, 1 - 1e-8)", {1000}, {0}, -std::log(1 - (1 - 1e-8)), {0}});
  all.push_back({bce, "(sigmoid(x0) + sigmoid(x0))/2", {-1000}, {1}, 1000, {-1}});
  all.push_back({bce, "(sigmoid(x0) + sigmoid(x0))/2", {1000}, {0}, 1000, {1}});
  all.push_back({bce, "sigmoid(x0)*sigmoid(x0)", {1000}, {0}, 1000 - std::log(2), {1}});
  // Probabilities that nothing stands behind.
  all.push_back({bce, "x0", {0}, {0}, 0, {1}});
  all.push_back({bce, "x0", {1}, {1}, 0, {-1}});
  all.push_back({bce, "x0", {1, 0}, {1, 0}, 0, {-0.5, 0.5}});
  all.push_back({bce, "x0", {0}, {1}, infinity, {}});
  all.push_back({bce, "x0", {1}, {0}, infinity, {}});
  all.push_back({bce, "x0", {0}, {0.5}, infinity, {}});
  all.push_back({bce_logits, "x0", {1000}, {1}, 0, {0}});
  all.push_back({bce_logits, "x0", {1000}, {0}, 1000, {1}});
  all.push_back({bce_logits, "x0", {-1000}, {0.25}, 250, {-0.25}});
  return all;
}

std::vector<Edge> edges_of_classes() {
  std::vector<Edge> all;
  const std::vector<std::string> softmaxes = {"softmax(x0)", "exp(x0)/sum(exp(x0))", "- softmax:"};
  for (const std::string& softmax : softmaxes) {
    all.push_back({ce, softmax, {1000, 0, -1000}, {0}, 0, {0, 0, 0}, 3});
    all.push_back({ce, softmax, {1000, 0, -1000}, {2}, 2000, {1, 0, -1}, 3});
    all.push_back({ce, softmax, {1000, 0, -1000}, {0, 1, 0}, 1000, {1, -1, 0}});
    all.push_back({ce, softmax, {1000, 0, -1000}, {0.5, 0.25, 0.25}, 750, {0.5, -0.25, -0.25}});
    // Every class as a label of its own: -log(1 - p_0) and -log p_1 are 1000, the last is 0.
    all.push_back({bce, softmax, {1000, 0, -1000}, {0, 1, 0}, 2000.0 / 3, {2.0 / 3, -2.0 / 3, 0}});
    all.push_back({bce, softmax, {0, 0}, {1, 0}, std::log(2), {-0.5, 0.5}});
  }
  const std::vector<double> x = {1000, 0, 0, 1000}, slope = {0.5, -0.5, 0, 0};
  all.push_back({ce, "- reshape: [2, 2]\n    - softmax:", x, {1, 1}, 500, slope, 2, {4}});
  all.push_back({ce,
                 "- reshape: [2, 2]\n    - softmax\n    - reshape: [2, 1, 2]",
                 x,
                 {1, 1},
                 500,
                 slope,
                 2,
                 {4},
                 {2, 1}});
  all.push_back({ce, "softmax(x0)[..., 1:3]", {1000, 0, -1000}, {1}, 2000, {1, 0, -1}, 2});
  // Probabilities that nothing stands behind.
  all.push_back({ce, "x0", {1, 0, 0}, {0}, 0, {-1, 0, 0}, 3});
  all.push_back({ce, "x0", {1, 0, 0}, {1, 0, 0}, 0, {-1, 0, 0}});
  all.push_back({ce, "x0", {0.5, 0.5, 0}, {0.5, 0.5, 0}, std::log(2), {-1, -1, 0}});
  all.push_back({ce, "x0", {1, 0, 0}, {1}, infinity, {}, 3});
  all.push_back({ce, "x0", {1, 0, 0}, {0, 1, 0}, infinity, {}});
  all.push_back({ce_logits, "x0", {1000, 0, -1000}, {2}, 2000, {1, 0, -1}, 3});
  all.push_back({ce_logits, "x0", {1000, 0, -1000}, {0, 0.5, 0.5}, 1500, {1, -0.5, -0.5}});
  return all;
}

std::vector<Edge> edges_of_margins() {
  const std::string hinge = "hinge: {prediction: y, target: t}";
  const std::string classes = "multiclass_hinge: {prediction: y, target: t";
  return {
      {hinge, "x0", {1000}, {1}, 0, {0}},
      {hinge, "x0", {1000}, {0}, 1001, {1}},
      {hinge, "x0", {-1000, 1}, {1, 1}, 1001.0 / 2, {-0.5, 0}},
      {hinge, "x0", {0.5}, {1}, 0.5, {-1}, 2},
      {classes + "}", "x0", {1000, 0, -1000}, {2}, 3002.0 / 3, {1.0 / 3, 1.0 / 3, -2.0 / 3}, 3},
      {classes + "}", "x0", {1000, 0, -1000}, {0}, 0, {0, 0, 0}, 3},
      {classes + ", of: worst}", "x0", {1000, 0, -1000}, {2}, 2001, {1, 0, -1}, 3},
      {classes + ", of: worst}", "x0", {1000, 0, -1000}, {1, 0, 0}, 0, {0, 0, 0}},
  };
}

std::vector<Edge> edges_of_focal() {
  const std::string labels = "binary_focal: {logits: y, target: t",
                    units = "binary_focal: {probability: y, target: t}";
  const std::string focal = "focal: {logits: y, target: t";
  return {
      {labels + "}", "x0", {1000}, {1}, 0, {0}},
      {labels + "}", "x0", {-1000}, {1}, 1000, {-1}},
      {labels + ", gamma: 0.5}", "x0", {1000}, {1}, 0, {0}},
      {labels + ", gamma: 0}", "x0", {-1000}, {0.25}, 250, {-0.25}},
      {labels + ", alpha: 0.25}", "x0", {1000}, {0}, 750, {0.75}},
      {units, "x0", {1}, {1}, 0, {0}},
      {units, "x0", {0}, {0}, 0, {0}},
      {units, "x0", {0}, {1}, infinity, {}},
      {focal + "}", "x0", {1000, 0, -1000}, {0}, 0, {0, 0, 0}, 3},
      {focal + "}", "x0", {1000, 0, -1000}, {2}, 2000, {1, 0, -1}, 3},
      {focal + ", gamma: 0.5}", "x0", {1000, 0, -1000}, {0}, 0, {0, 0, 0}, 3},
      {focal + ", alpha: [1, 2, 3]}", "x0", {1000, 0, -1000}, {0, 0, 1}, 6000, {3, 0, -3}},
      {"focal: {probability: y, target: t}", "x0", {1, 0, 0}, {0}, 0, {0, 0, 0}, 3},
      {"cross_entropy: {logits: y, target: t, label_smoothing: 0.3}",
       "x0",
       {1000, 0, -1000},
       {0},
       300,
       {0.2, -0.1, -0.1},
       3},
  };
}

std::vector<Edge> edges_of_divergence() {
  const auto of = [](const std::string& from, const std::string& to) {
    return "kl_divergence: {from: " + from + ", to: " + to + "}";
  };
  const std::string y = "{bernoulli: {probability: y}}", t = "{bernoulli: {probability: t}}";
  const std::string scores = "{bernoulli: {logits: y}}";
  const std::string p = "{categorical: {probability: y}}", q = "{categorical: {probability: t}}";
  return {
      {of("{normal: {mean: y, log_variance: t}}", "standard_normal"), "x0", {0}, {0}, 0, {0}},
      {of("{normal: {mean: y, log_variance: t}}", "standard_normal"),
       "x0",
       {1000},
       {0},
       5e5,
       {1000}},
      {of("{normal: {mean: t, log_variance: y}}", "standard_normal"),
       "x0",
       {-1000},
       {0},
       499.5,
       {-0.5}},
      {of(t, y), "x0", {0}, {0}, 0, {1}},
      {of(t, y), "x0", {1}, {1}, 0, {-1}},
      {of(t, y), "x0", {0}, {1}, infinity, {}},
      {of(t, y), "sigmoid(x0)", {-1000}, {1}, 1000, {-1}},
      {of(t, scores), "x0", {-1000}, {1}, 1000, {-1}},
      {of(t, scores), "x0", {1000}, {1}, 0, {0}},
      {of(scores, t), "x0", {1000}, {0.5}, std::log(2), {0}},
      {of(q, p), "x0", {1, 0}, {1, 0}, 0, {-1, 0}},
      {of(q, p), "softmax(x0)", {1000, 0, -1000}, {0, 1, 0}, 1000, {1, -1, 0}},
      {of(q, "{categorical: {logits: y}}"), "x0", {1000, 0, -1000}, {0, 1, 0}, 1000, {1, -1, 0}},
  };
}

std::vector<Edge> edges_of_formulas() {
  const std::string binary = "-(t*log(y) + (1-t)*log(1-y))";
  const std::string divergence = "sum(t*log(t/y))", difference = "sum(t*(log(t) - log(y)))";
  const std::string focal = "-((1-y)^2*t*log(y) + 0.25*y^2*(1-t)*log(1-y))";
  std::vector<Edge> all;
  for (const std::string& formula : {binary, std::string("-t*log(y) - (1-t)*log1p(-y)")}) {
    all.push_back({formula, "sigmoid(x0)", {1000}, {0}, 1000, {1}});
    all.push_back({formula, "sigmoid(x0)", {-1000}, {1}, 1000, {-1}});
    all.push_back({formula, "sigmoid(x0)", {20}, {1}, below(20), {-tail(20)}});
    all.push_back({formula, "x0", {0}, {0}, 0, {1}});
    all.push_back({formula, "x0", {1}, {1}, 0, {-1}});
    all.push_back({formula, "x0", {0}, {1}, infinity, {}});
  }
  all.push_back({focal, "sigmoid(x0)", {1000}, {0}, 250, {0.25}});
  all.push_back({focal, "sigmoid(x0)", {-1000}, {0}, 0, {0}});
  all.push_back({focal, "x0", {0}, {0}, 0, {0}});
  all.push_back({focal, "x0", {1}, {1}, 0, {0}});
  all.push_back({"-(y*log(y) + (1-y)*log(1-y)) + 0*t", "sigmoid(x0)", {1000}, {0}, 0, {0}});
  all.push_back({"-sum(y*log(y)) + 0*t", "softmax(x0)", {1000, 0}, {0}, 0, {0, 0}});
  all.push_back({"y*log(y) + t", "x0", {0}, {0}, 0, {0}});
  all.push_back({"y*log(y)/log(2) + t", "x0", {0.5}, {0}, -0.5, {(1 - std::log(2)) / std::log(2)}});
  for (const std::string& formula : {divergence, difference}) {
    all.push_back({formula, "softmax(x0)", {1000, 0, -1000}, {0, 1, 0}, 1000, {1, -1, 0}});
    all.push_back({formula, "x0", {1, 0}, {1, 0}, 0, {-1, 0}});
    all.push_back({formula, "x0", {0.5, 0.5}, {1, 0}, std::log(2), {-2, 0}});
  }
  const std::string poisson = "y - t*log(y)";
  all.push_back({poisson, "exp(x0)", {-1000}, {3}, 3000, {-3}});
  all.push_back({poisson, "exp(x0)", {-1000}, {0}, 0, {0}});
  all.push_back({poisson, "softplus(x0)", {-1000}, {3}, 3000, {-3}});
  all.push_back({poisson, "softplus(x0)", {1000}, {3}, 1000 - 3 * std::log(1000), {1 - 3e-3}});
  all.push_back({poisson, "x0", {0}, {0}, 0, {1}});
  all.push_back({poisson, "x0", {0}, {1}, infinity, {}});
  all.push_back({"log(1 + exp(y)) - t*y", "x0", {1000}, {0}, 1000, {1}});
  all.push_back({"log1p(exp(y)) - t*y", "x0", {1000}, {1}, 0, {0}});
  all.push_back({"log(sum(exp(y))) - sum(t*y)", "x0", {1000, -1000}, {0, 1}, 2000, {1, -1}});
  all.push_back({"-log(0.5*exp(-0.5*(y-10)^2) + 0.5*exp(-0.5*(y+10)^2)) + 0*t",
                 "x0",
                 {1000},
                 {0},
                 std::log(2) + 0.5 * 990 * 990,
                 {990}});
  all.push_back({"-log(t*exp(-y))", "x0", {1000}, {2}, 1000 - std::log(2), {1}});
  all.push_back(
      {"-log(1 - (1-y)*(1-y)) + 0*t", "sigmoid(x0)", {-1000}, {0}, 1000 - std::log(2), {-1}});
  // Two parts that are equal share the slope; a part that is nothing beside the other loses no
  // digit.
  all.push_back({"-log(exp(y)/2 + exp(2*y)/2) + 0*t", "x0", {0}, {0}, 0, {-1.5}});
  all.push_back(
      {"-log(sigmoid(y)*0.5 + sigmoid(-y)*0.5) - log(2) + 0*t", "x0", {100}, {0}, 0, {0}});
  all.push_back({"-log(sqrt(y)) + 0*t", "sigmoid(x0)", {-1000}, {0}, 500, {-0.5}});
  all.push_back({"-log(if(t > 0.5, y, 1-y))", "sigmoid(x0)", {-1000}, {1}, 1000, {-1}});
  return all;
}

}  // namespace

TEST_CASE("losses of numbers at their edges") {
  for (const Edge& edge : edges_of_numbers()) check(edge);
}

TEST_CASE("binary cross entropy at its edges: the limit, through whatever stands between") {
  for (const Edge& edge : edges_of_labels()) check(edge);
}

TEST_CASE("cross entropy at its edges: the limit, through whatever stands between") {
  for (const Edge& edge : edges_of_classes()) check(edge);
}

TEST_CASE("hinge losses at their edges") {
  for (const Edge& edge : edges_of_margins()) check(edge);
}

TEST_CASE("focal losses and smoothed labels at their edges") {
  for (const Edge& edge : edges_of_focal()) check(edge);
}

TEST_CASE("divergences at their edges") {
  for (const Edge& edge : edges_of_divergence()) check(edge);
}

TEST_CASE("losses written as formulas at their edges") {
  for (const Edge& edge : edges_of_formulas()) check(edge);
}

TEST_CASE("no loss is without edges") {
  std::set<std::string> tested;
  for (const auto& edges : {edges_of_numbers(), edges_of_labels(), edges_of_classes(),
                            edges_of_margins(), edges_of_focal(), edges_of_divergence()})
    for (const Edge& edge : edges) tested.insert(edge.loss.substr(0, edge.loss.find(':')));
  for (const layers::LossDef& loss : layers::loss_table()) {
    CAPTURE(loss.entry.name);
    CHECK(tested.count(loss.entry.name) == 1);
  }
}
