// Products with a large weight that is stored transposed turn its panels themselves: the same bits
// as with a transposed copy, also while the weight is updated behind them.
#include <doctest/doctest.h>

#include "compiler/ir/builder.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

struct Backward {
  int64_t rows, k, n;
};

// Rows of a field, as something computed that lies in memory.
ir::Value* input(ir::Builder& b, const char* name, int64_t columns) {
  const ir::Shape shape{{1, true}, {columns, false}};
  return b.unary("tanh",
                 b.graph().add_param(ir::ParamKind::input, name, {ir::DType::f32, shape}, name));
}

// dx = g · wT, and w gets an update by xT · g. With a second product a copy of wT pays.
std::unique_ptr<ir::Graph> backward(const Backward& d, bool twice) {
  auto graph = std::make_unique<ir::Graph>("step", d.rows);
  ir::Builder b(*graph);
  ir::Value* g = input(b, "dy", d.k);
  ir::Value* x = input(b, "x", d.n);
  ir::Value* w = graph->add_param(ir::ParamKind::state, "w",
                                  {ir::DType::f32, ir::fixed_shape({d.n, d.k})}, "w");
  graph->add_output("dx", b.unary("relu", b.contract(g, w, {1}, {1})));
  if (twice) graph->add_output("dz", b.contract(b.unary("relu", g), w, {1}, {1}));
  b.assign(w, b.sub(w, b.contract(x, g, {0}, {0})));
  return graph;
}

bool turns(const std::vector<std::string>& schedules) {
  return std::any_of(schedules.begin(), schedules.end(), [](const std::string& schedule) {
    return schedule.find("turned") != std::string::npos;
  });
}

}  // namespace

TEST_CASE("a weight that a product turns gives the bits that its transposed copy gives") {
  const std::vector<Backward> cases = {{1, 1024, 128}, {2, 2048, 64},   {7, 256, 512},
                                       {61, 208, 640}, {128, 400, 384}, {300, 16, 8192}};
  for (const Backward& d : cases) {
    CAPTURE(d.rows);
    CAPTURE(d.k);
    CAPTURE(d.n);
    const auto once = backward(d, false), twice = backward(d, true);
    const test::Tensors params = test::random_params(*once, 5, -1, 1);
    const auto expected = ir::evaluate(*once, params);
    for (const kernel::Isa isa : test::runnable_isas())
      for (const kernel::Core core : {kernel::Core::common, kernel::Core::intel}) {
        std::vector<std::string> schedules, schedules_of_copy;
        test::RunOptions options{.isa = isa, .core = core, .same_bits_threads = {2, 3}};
        options.schedules = &schedules;
        const auto got = test::run_native(*once, params, options);
        options.schedules = &schedules_of_copy;
        const auto with_copy = test::run_native(*twice, params, options);
        CHECK(turns(schedules));
        CHECK_FALSE(turns(schedules_of_copy));
        for (const char* result : {"dx", "state:w"}) {
          CAPTURE(result);
          CHECK(got.at(result).data == with_copy.at(result).data);
          // Chains of up to 2048 products of numbers below one, rounded at each step.
          CHECK(test::distance(got.at(result), expected.at(result)) < 1e-4);
        }
      }
  }
}

TEST_CASE("small and uneven weights are copied") {
  for (const Backward& d : std::vector<Backward>{{8, 128, 128}, {8, 1000, 192}, {8, 512, 300}}) {
    const auto graph = backward(d, false);
    std::vector<std::string> schedules;
    test::RunOptions options;
    options.schedules = &schedules;
    test::run_native(*graph, test::random_params(*graph, 5, -1, 1), options);
    CHECK_FALSE(turns(schedules));
  }
}

// A product over so many rows for whose result [m, n] its left side is written out turned first.
TEST_CASE("weight gradients over many rows read their left side with the batch last") {
  struct Gradient {
    int64_t rows, m, n;
    bool turned;
  };
  const std::vector<Gradient> cases = {{257, 256, 256, true},  {1031, 300, 272, true},
                                       {600, 257, 321, true},  {256, 256, 256, false},
                                       {300, 784, 128, false}, {300, 128, 784, false}};
  for (const Gradient& d : cases) {
    CAPTURE(d.rows);
    CAPTURE(d.m);
    auto graph = std::make_unique<ir::Graph>("gradient", d.rows);
    ir::Builder b(*graph);
    ir::Value* x = input(b, "x", d.m);
    ir::Value* product = b.contract(x, input(b, "dy", d.n), {0}, {0});
    graph->add_output("dw", b.mul(product, 0.5));
    const test::Tensors params = test::random_params(*graph, 5, -1, 1);
    const auto expected = ir::evaluate(*graph, params).at("dw");
    for (const kernel::Isa isa : test::runnable_isas()) {
      std::vector<std::string> schedules;
      const auto got = test::run_native(
          *graph, params, {.isa = isa, .same_bits_threads = {2, 3}, .schedules = &schedules});
      // x and dy, the copy, the product.
      CHECK(schedules.size() == (d.turned ? 4 : 3));
      // Chains of up to 1031 products of numbers below one, rounded at each step.
      CHECK(test::distance(got.at("dw"), expected) < 1e-4);
    }
  }
}
