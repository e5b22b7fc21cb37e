// Passes against the reference evaluator: what a graph computes may not change, and the safe forms
// have to hold where the textbook forms overflow.
#include <doctest/doctest.h>

#include <cmath>

#include "compiler/autodiff/autodiff.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/op.h"
#include "compiler/passes/pass.h"
#include "tests/support/graph_generator.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

TEST_CASE("every pass keeps the meaning of random graphs") {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    auto options = testing::random_options(seed);
    options.max_elements = 600;
    options.dtype = ir::DType::f64;
    const auto graph = testing::generate_graph(seed, options);
    const auto params = test::random_params(*graph, seed, -1, 1);
    const auto expected = ir::evaluate(*graph, params);
    std::string text = ir::print(*graph);
    passes::PassOptions around;
    around.verify_each = true;
    around.observe = [&](const passes::PassReport& report, const ir::Graph& now) {
      CAPTURE(report.name);
      const std::string printed = ir::print(now);
      CHECK((report.changed || printed == text));
      CHECK(ir::print(*ir::parse(printed)) == printed);
      text = printed;
      if (!report.changed) return;
      const auto got = ir::evaluate(now, params);
      for (const auto& [name, tensor] : expected) {
        CAPTURE(name);
        // The reference rounds sums in f64; splitting and reordering them changes a few ULP.
        CHECK(test::distance(got.at(name), tensor) < 1e-12);
      }
    };
    CHECK(passes::run_passes(*graph, passes::canonical_passes(), around));
    CHECK(passes::run_passes(*graph, passes::step_passes(), around));
  }
}

TEST_CASE("a list can be left after any pass") {
  for (const passes::Pass& last : passes::step_passes()) {
    const auto graph = testing::generate_graph(3, testing::random_options(3));
    std::string seen;
    passes::PassOptions options;
    options.stop_after = last.name;
    options.observe = [&](const passes::PassReport& report, const ir::Graph&) {
      seen = report.name;
    };
    CHECK(!passes::run_passes(*graph, passes::step_passes(), options));
    CHECK(seen == last.name);
  }
}

// Values and gradients (of the sum of `y`) of a textbook formula after the canonical passes.
struct Extremes {
  std::vector<double> y, dx;
};

Extremes extremes(const std::string& text, const std::vector<double>& x) {
  auto graph = ir::parse(text);
  passes::run_passes(*graph, passes::canonical_passes(), {});
  ir::Builder b(*graph);
  ir::Value* y = graph->outputs.front().value;
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < y->type.rank(); ++i) axes.push_back(i);
  ir::Value* total = b.sum(y, axes);
  ir::Value* w = graph->params.front().value.get();
  const auto gradients = autodiff::gradients(*graph, total, {w});
  graph->add_output("dx", gradients.front());
  passes::PassOptions checked;
  checked.verify_each = true;
  test::Tensors params;
  params["x"].data = x;
  for (const ir::Dim& dim : w->type.shape) params["x"].shape.push_back(dim.size);
  const auto reference = ir::evaluate(*graph, params);
  const auto native = test::run_native(*graph, params, {.isa = test::runnable_isas().back()});
  for (const auto& [name, tensor] : reference)
    CHECK(test::distance(native.at(name), tensor) < 1e-5);
  return {native.at("y").data, native.at("dx").data};
}

TEST_CASE("log softmax, softmax and log sigmoid hold at extreme values") {
  const std::string softmax =
      "graph @g(%x: f32[2,3] state) {\n"
      "  %e: f32[2,3] = exp %x\n"
      "  %s: f32[2] = reduce_sum %e {axes=[1]}\n"
      "  %w: f32[2,3] = broadcast %s {axes=[0], shape=[2,3]}\n"
      "  %p: f32[2,3] = div %e, %w\n";
  const std::vector<double> large = {1000, -1000, 999, -500, -500, -500};
  for (const std::string& tail : {std::string("  return y=%p\n}\n"),
                                  std::string("  %l: f32[2,3] = log %p\n  return y=%l\n}\n")}) {
    const Extremes found = extremes(softmax + tail, large);
    for (double value : found.y) CHECK(std::isfinite(value));
    for (double value : found.dx) CHECK(std::isfinite(value));
  }
  const Extremes logs = extremes(softmax + "  %l: f32[2,3] = log %p\n  return y=%l\n}\n", large);
  CHECK(logs.y[1] == doctest::Approx(-2000.3133));  // -2000 - log(1 + 1/e)
  CHECK(logs.y[3] == doctest::Approx(-std::log(3)));
  CHECK(logs.dx[1] == doctest::Approx(1));  // 1 - 3p, p = 0
  CHECK(logs.dx[0] == doctest::Approx(1 - 3 / (1 + std::exp(-1))));

  const std::string sigmoid =
      "graph @g(%x: f32[3] state) {\n"
      "  %p: f32[3] = sigmoid %x\n";
  const Extremes ones =
      extremes(sigmoid + "  %l: f32[3] = log %p\n  return y=%l\n}\n", {-1000, 0, 1000});
  CHECK(ones.y[0] == doctest::Approx(-1000));
  CHECK(ones.y[2] == doctest::Approx(0));
  CHECK(ones.dx[0] == doctest::Approx(1));
  CHECK(ones.dx[1] == doctest::Approx(0.5));
  const Extremes zeros =
      extremes(sigmoid +
                   "  %one: f32[3] = constant {dtype=f32, shape=[3], value=1.0}\n"
                   "  %q: f32[3] = sub %one, %p\n  %l: f32[3] = log %q\n  return y=%l\n}\n",
               {-1000, 0, 1000});
  CHECK(zeros.y[2] == doctest::Approx(-1000));
  CHECK(zeros.dx[2] == doctest::Approx(-1));
}

}  // namespace
