// Weights that lie in panels while they are trained: the same bits as in rows, for every vector
// level, kind of cores and thread count.
#include <doctest/doctest.h>

#include "compiler/ir/builder.h"
#include "compiler/kernel/views.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/state_panels.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;
using Names = std::vector<std::string>;

struct Layer {
  int64_t rows, k, n;
};

ir::Value* state(ir::Graph& graph, const char* name, const Layer& d) {
  return graph.add_param(ir::ParamKind::state, name, {ir::DType::f32, ir::fixed_shape({d.k, d.n})},
                         name);
}

// A product by w, one by its transpose, and an update of w with a second moment. `also` may read
// the gradient or the weight; `raw`: the rows of the data set are the left side as they are.
using Also = std::function<void(ir::Builder&, ir::Value* w, ir::Value* gradient)>;

std::unique_ptr<ir::Graph> step(const Layer& d, const Also& also = {}, bool raw = false) {
  auto graph = std::make_unique<ir::Graph>("step", d.rows);
  ir::Builder b(*graph);
  const ir::Shape rows{{1, true}, {d.k, false}};
  ir::Value* x = graph->add_param(ir::ParamKind::input, "x", {ir::DType::f32, rows}, "x");
  if (!raw) x = b.unary("tanh", x);
  ir::Value *w = state(*graph, "w", d), *v = state(*graph, "v", d);
  ir::Value* rate = graph->add_param(ir::ParamKind::scalar, "rate", {ir::DType::f32, {}}, "rate");
  ir::Value* y = b.unary("tanh", b.contract(x, w, {1}, {0}));
  graph->add_output("y", y);
  graph->add_output("dx", b.unary("relu", b.contract(y, w, {1}, {1})));
  ir::Value* g = b.contract(x, y, {0}, {0});
  ir::Value* moment = b.add(b.mul(v, 0.9), b.mul(g, g));
  b.assign(v, moment);
  b.assign(w, b.sub(w, b.div(b.mul(g, rate), b.add(b.unary("sqrt", moment), 1e-3))));
  if (also) also(b, w, g);
  return graph;
}

// [k, n] as [n / width, k, width], or back.
ir::Tensor moved(const ir::Tensor& from, const Layer& d, bool to_panels) {
  const int64_t width = kernel::panel_width, panels = d.n / width;
  ir::Tensor to = from;
  to.shape = to_panels ? std::vector{panels, d.k, width} : std::vector{d.k, d.n};
  for (int64_t i = 0; i < d.k; ++i)
    for (int64_t j = 0; j < d.n; ++j) {
      const auto row = static_cast<size_t>(i * d.n + j);
      const auto panel = static_cast<size_t>(((j / width) * d.k + i) * width + j % width);
      to.data[to_panels ? panel : row] = from.data[to_panels ? row : panel];
    }
  return to;
}

Names names_of(const Layer& d, const Also& also = {}) {
  const auto graph = step(d, also);
  return passes::put_states_in_panels(*graph);
}

}  // namespace

TEST_CASE("weights that are trained in panels get the bits that they get in rows") {
  for (const Layer& d : std::vector<Layer>{
           {1, 128, 128}, {7, 784, 128}, {61, 300, 384}, {128, 512, 512}, {33, 67, 640}}) {
    CAPTURE(d.rows);
    CAPTURE(d.k);
    CAPTURE(d.n);
    const auto in_rows = step(d), in_panels = step(d);
    REQUIRE(passes::put_states_in_panels(*in_panels) == Names{"w", "v"});
    ir::verify(*in_panels);
    test::Tensors params = test::random_params(*in_rows, 5, 0, 1);
    test::Tensors moved_params = params;
    for (const char* name : {"w", "v"}) moved_params[name] = moved(params.at(name), d, true);
    const auto expected = ir::evaluate(*in_rows, params);
    for (const kernel::Isa isa : test::runnable_isas())
      for (const kernel::Core core : {kernel::Core::common, kernel::Core::intel}) {
        const test::RunOptions options{.isa = isa, .core = core, .same_bits_threads = {2, 3, 4}};
        const auto rows = test::run_native(*in_rows, params, options);
        const auto panels = test::run_native(*in_panels, moved_params, options);
        for (const char* result : {"y", "dx"})
          CHECK(panels.at(result).data == rows.at(result).data);
        for (const char* result : {"state:w", "state:v"}) {
          CAPTURE(result);
          CHECK(moved(panels.at(result), d, false).data == rows.at(result).data);
          // Chains of up to 784 products of numbers below one, rounded at each step.
          CHECK(test::distance(rows.at(result), expected.at(result)) < 1e-4);
        }
      }
  }
}

TEST_CASE("a graph that only reads weights in panels gives the bits that rows give") {
  const Layer d{9, 200, 256};
  const auto graph = [&] {
    auto result = std::make_unique<ir::Graph>("evaluate", d.rows);
    ir::Builder b(*result);
    const ir::Shape rows{{1, true}, {d.k, false}};
    ir::Value* x = result->add_param(ir::ParamKind::input, "x", {ir::DType::f32, rows}, "x");
    ir::Value* w = state(*result, "w", d);
    ir::Value* y = b.contract(b.unary("tanh", x), w, {1}, {0});
    result->add_output("y", b.contract(b.unary("tanh", y), w, {1}, {1}));
    result->add_output("squares", b.sum(b.mul(w, w), {0, 1}));
    return result;
  };
  const auto in_rows = graph(), in_panels = graph();
  passes::read_states_in_panels(*in_panels, {"w", "of another graph"});
  ir::verify(*in_panels);
  const test::Tensors params = test::random_params(*in_rows, 5, -1, 1);
  test::Tensors moved_params = params;
  moved_params["w"] = moved(params.at("w"), d, true);
  const auto rows = test::run_native(*in_rows, params, {.same_bits_threads = {2, 3}});
  const auto panels = test::run_native(*in_panels, moved_params, {.same_bits_threads = {2, 3}});
  for (const char* result : {"y", "squares"}) CHECK(panels.at(result).data == rows.at(result).data);
}

TEST_CASE("a left side that comes from the data set is gathered once, not for every panel") {
  const Layer d{50, 200, 512};
  const auto in_rows = step(d, {}, true), in_panels = step(d, {}, true);
  REQUIRE(passes::put_states_in_panels(*in_panels) == Names{"w", "v"});
  const test::Tensors params = test::random_params(*in_rows, 5, 0, 1);
  test::Tensors moved_params = params;
  for (const char* name : {"w", "v"}) moved_params[name] = moved(params.at(name), d, true);
  const auto rows = test::run_native(*in_rows, params, {.same_bits_threads = {2, 3}});
  const auto panels = test::run_native(*in_panels, moved_params, {.same_bits_threads = {2, 3}});
  CHECK(moved(panels.at("state:w"), d, false).data == rows.at("state:w").data);
  passes::run_passes(*in_panels, passes::step_passes());
  for (const auto& node : in_panels->nodes)
    for (const auto& result : node->results) {
      CAPTURE(result->name);
      CHECK(result->type.elements(d.rows) <= d.k * d.n);
    }
}

TEST_CASE("weights stay in rows where somebody wants them so") {
  CHECK(names_of({8, 784, 128}) == Names{"w", "v"});
  CHECK(names_of({8, 784, 100}).empty());
  CHECK(names_of({8, 784, 192}).empty());  // three panels: two threads cannot share them
  CHECK(names_of({8, 32, 128}).empty());   // small
  const auto norm = [](ir::Builder& b, ir::Value*, ir::Value* g) {
    b.graph().add_output("norm", b.sum(b.mul(g, g), {0, 1}));
  };
  CHECK(names_of({8, 784, 128}, norm).empty());
  const auto decay = [](ir::Builder& b, ir::Value* w, ir::Value*) {
    b.graph().add_output("squares", b.sum(b.mul(w, w), {0, 1}));
  };
  CHECK(names_of({8, 784, 128}, decay).empty());
  const auto chained = [](ir::Builder& b, ir::Value*, ir::Value* g) {
    ir::Value* left = state(b.graph(), "left", {784, 784, 784});
    ir::Value* inner = state(b.graph(), "inner", {784, 784, 128});
    b.assign(inner, b.sub(inner, b.contract(left, g, {0}, {0})));
  };
  CHECK(names_of({8, 784, 128}, chained) == Names{"inner"});
  CHECK(names_of({256, 784, 512}) == Names{"w", "v"});
  CHECK(names_of({257, 784, 512}).empty());  // sums that want their right side packed
  const auto shown = [](ir::Builder& b, ir::Value*, ir::Value* g) {
    b.graph().add_output("gradient", g);
  };
  CHECK(names_of({8, 784, 128}, shown).empty());
  const auto left = [](ir::Builder& b, ir::Value* w, ir::Value*) {
    b.graph().add_output("square", b.contract(w, w, {0}, {0}));
  };
  CHECK(names_of({8, 784, 128}, left).empty());
}
