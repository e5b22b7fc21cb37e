// The reverse walk: sums over uses, what is left out, spans, whole networks.
#include <doctest/doctest.h>

#include "compiler/autodiff/autodiff.h"
#include "compiler/ir/builder.h"
#include "tests/support/gradient_check.h"

namespace nnc::testing {
namespace {

using namespace nnc::ir;

int count(const Graph& graph, const std::string& op) {
  int n = 0;
  for (const auto& node : graph.nodes) n += node->op->name == op ? 1 : 0;
  return n;
}

// Two dense layers with tanh, mean squared loss, and a stop_gradient on the target.
struct Network {
  Graph graph{"network", 5};
  Builder b{graph};
  Value* x = graph.add_param(ParamKind::input, "x", {DType::f64, {{1, true}, {3}}});
  Value* target = graph.add_param(ParamKind::input, "target", {DType::f64, {{1, true}, {2}}});
  Value* w1 = graph.add_param(ParamKind::state, "w1", {DType::f64, {{3}, {4}}});
  Value* b1 = graph.add_param(ParamKind::state, "b1", {DType::f64, {{4}}});
  Value* w2 = graph.add_param(ParamKind::state, "w2", {DType::f64, {{4}, {2}}});
  Value* loss = nullptr;
  Tensors values;

  Network() {
    Value* hidden = b.unary("tanh", b.add(b.matmul(x, w1), b1));
    Value* error = b.sub(b.matmul(hidden, w2), b.stop_gradient(target));
    loss = b.mul(b.sum(b.mul(error, error), {0, 1}), 0.1);
    std::mt19937_64 random(2);
    for (const Param& param : graph.params) {
      values[param.value->name] = random_tensor(param.value->type, -1, 1, graph.batch, random);
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(Network, "the gradients of a network are right") {
  const auto gradients = autodiff::gradients(graph, loss, {w1, b1, w2});
  graph.add_output("loss", loss);
  for (size_t i = 0; i < 3; ++i) {
    REQUIRE(gradients[i] != nullptr);
    graph.add_output("g" + std::to_string(i), gradients[i]);
  }
  verify(graph);
  std::mt19937_64 random(4);
  const GradientCheck check =
      check_gradients(graph, values, "loss", {"w1", "b1", "w2"}, {"g0", "g1", "g2"}, random);
  CHECK_MESSAGE(check.good, check.message);
  CHECK_FALSE(check.all_zero);
}

// Slopes that are infinite or NaN where a choice looks away: 0 flows back, not 0·inf.
TEST_CASE("what a choice left out has a gradient of zero") {
  const std::vector<double> points{-1, 0, 4};
  const auto derivative = [&](const std::function<Value*(Builder&, Value*)>& branch, bool pick) {
    Graph graph("choice", 1);
    Builder b(graph);
    Value* x = graph.add_param(ParamKind::state, "x", {DType::f64, {{3}}});
    Value* zero = b.constant_like(0, x);
    Value* y = branch(b, x);
    y = pick ? b.select(b.compare("gt", x, zero), y, zero) : b.op("max", {zero, y});
    Value* loss = b.sum(y, {0});
    graph.add_output("g", autodiff::gradients(graph, loss, {x})[0]);
    verify(graph);
    return evaluate(graph, {{"x", Tensor{{3}, points}}}).at("g").data;
  };
  const auto unary = [](const std::string& name) {
    return [name](Builder& b, Value* x) { return b.unary(name, x); };
  };
  using Slope = std::vector<double>;
  CHECK(derivative(unary("sqrt"), true) == Slope{0, 0, 0.25});
  CHECK(derivative(unary("sqrt"), false) == Slope{0, 0, 0.25});  // max(0, sqrt(x))
  CHECK(derivative(unary("rsqrt"), true) == Slope{0, 0, -0.0625});
  CHECK(derivative(unary("log"), true) == Slope{0, 0, 0.25});
  CHECK(derivative(unary("log1p"), true) == Slope{0, 0, 0.2});
  CHECK(derivative(unary("reciprocal"), true) == Slope{0, 0, -0.0625});
  const auto power = [](Builder& b, Value* x) { return b.op("pow", {x, b.constant_like(1.5, x)}); };
  CHECK(derivative(power, true) == Slope{0, 0, 3});
  const auto through_product = [](Builder& b, Value* x) {  // (x - 3) √x
    return b.mul(b.sub(x, b.constant_like(3, x)), b.unary("sqrt", x));
  };
  CHECK(derivative(through_product, true) == Slope{0, 0, 2.25});
}

TEST_CASE_FIXTURE(Network, "only what targets need is built") {
  autodiff::gradients(graph, loss, {w1, b1, w2});
  // Forward 2; backward: dW2, dHidden, dW1, and no gradient of the first layer's input.
  CHECK(count(graph, "contract") == 5);
  CHECK(graph.remove_dead() > 0);  // nothing is an output here
}

TEST_CASE_FIXTURE(Network, "values that do not reach the loss have no gradient") {
  Value* apart = graph.add_param(ParamKind::state, "apart", {DType::f64, {{2}}});
  const auto gradients = autodiff::gradients(graph, loss, {target, apart, loss, w2});
  CHECK(gradients[0] == nullptr);
  CHECK(gradients[1] == nullptr);
  REQUIRE(gradients[2] != nullptr);
  CHECK(gradients[2]->node->op->name == "constant");
  CHECK(gradients[3] != nullptr);
}

TEST_CASE_FIXTURE(Network, "backward nodes carry the span of their forward node") {
  const auto file = std::make_shared<SourceFile>(SourceFile{"m.yaml", ""});
  for (const auto& node : graph.nodes) node->span = {file, 1, 1, 1};
  Node* product = nullptr;
  for (const auto& node : graph.nodes) {
    if (node->op->name == "contract") product = node.get();
  }
  product->span.line = 9;
  const auto gradients = autodiff::gradients(graph, loss, {w2});
  CHECK(gradients[0]->node->span.line == 9);
}

TEST_CASE("several uses add up") {
  Graph graph;
  Builder b(graph);
  Value* x = graph.add_param(ParamKind::state, "x", {DType::f64, {}});
  Value* y = b.add(b.add(b.mul(x, x), b.unary("exp", x)), x);  // 2x + exp(x) + 1
  graph.add_output("g", autodiff::gradients(graph, y, {x})[0]);
  CHECK(evaluate(graph, {{"x", {{}, {0.5}}}}).at("g").data[0] ==
        doctest::Approx(2 * 0.5 + std::exp(0.5) + 1));
}

TEST_CASE("a loss of any shape is the sum of its elements") {
  Graph graph("g", 4);
  Builder b(graph);
  Value* x = graph.add_param(ParamKind::input, "x", {DType::f64, {{1, true}}});
  graph.add_output("g", autodiff::gradients(graph, b.mul(x, 3.0), {x})[0]);
  CHECK(evaluate(graph, {{"x", {{4}, {1, 2, 3, 4}}}}).at("g").data ==
        std::vector<double>{3, 3, 3, 3});
}

TEST_CASE("derivatives of derivatives: d³ sin = -cos") {
  Graph graph;
  Builder b(graph);
  Value* x = graph.add_param(ParamKind::state, "x", {DType::f64, {}});
  Value* y = b.unary("sin", x);
  for (int i = 0; i < 3; ++i) y = autodiff::gradients(graph, y, {x})[0];
  graph.add_output("third", y);
  verify(graph);
  CHECK(evaluate(graph, {{"x", {{}, {0.7}}}}).at("third").data[0] ==
        doctest::Approx(-std::cos(0.7)));
}

TEST_CASE("a gradient passes through changes of precision but not through integers") {
  Graph graph;
  Builder b(graph);
  Value* x = graph.add_param(ParamKind::state, "x", {DType::f32, {{3}}});
  Value* wide = b.mul(b.cast(x, DType::f64), 2.0);
  Value* whole = b.cast(b.cast(x, DType::i32), DType::f64);
  const auto g = autodiff::gradients(graph, b.sum(b.mul(wide, whole), {0}), {x});
  REQUIRE(g[0] != nullptr);
  CHECK(g[0]->type.dtype == DType::f32);
  graph.add_output("g", g[0]);
  CHECK(evaluate(graph, {{"x", {{3}, {1.5, -2.5, 3.5}}}}).at("g").data ==
        std::vector<double>{2, -4, 6});
}

TEST_CASE("ties: of equals, max gives all to the first, reduce_max shares") {
  Graph graph;
  Builder b(graph);
  Value* a = graph.add_param(ParamKind::state, "a", {DType::f64, {{2}}});
  Value* c = graph.add_param(ParamKind::state, "c", {DType::f64, {{2}}});
  const auto pair = autodiff::gradients(graph, b.binary("max", a, c), {a, c});
  const auto top = autodiff::gradients(graph, b.reduce("reduce_max", a, {0}), {a});
  graph.add_output("a", pair[0]);
  graph.add_output("c", pair[1]);
  graph.add_output("top", top[0]);
  const auto results = evaluate(graph, {{"a", {{2}, {1, 1}}}, {"c", {{2}, {1, 2}}}});
  CHECK(results.at("a").data == std::vector<double>{1, 0});
  CHECK(results.at("c").data == std::vector<double>{0, 1});
  CHECK(results.at("top").data == std::vector<double>{0.5, 0.5});
}

}  // namespace nnc::testing
