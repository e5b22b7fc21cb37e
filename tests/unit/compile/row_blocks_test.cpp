// Programs in blocks of rows: the same bits as in one go, for any number of rows and threads, with
// pictures rows first and rows last, and less memory.
#include <doctest/doctest.h>

#include <algorithm>

#include "compiler/autodiff/autodiff.h"
#include "compiler/kernel/plan.h"
#include "compiler/layers/convolve.h"
#include "compiler/layers/norm.h"
#include "compiler/passes/pass.h"
#include "tests/support/graph_generator.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

struct Network {
  int64_t rows, side, channels, filters;
  bool noise = false;  // random numbers by row, which no block may number for itself
};

// Two convolutions with pooling, then a product that sees whole pictures.
std::unique_ptr<ir::Graph> graph_of(const Network& n) {
  auto graph = std::make_unique<ir::Graph>("predict", n.rows);
  ir::Builder b(*graph);
  const auto state = [&](const char* name, std::vector<int64_t> shape) {
    return graph->add_param(ir::ParamKind::state, name,
                            {ir::DType::f32, ir::fixed_shape(std::move(shape))}, name);
  };
  ir::Value* x =
      graph->add_param(ir::ParamKind::input, "x",
                       {ir::DType::u8, {{1, true}, {n.side}, {n.side}, {n.channels}}}, "x");
  ir::Value* h = b.mul(b.cast(x, ir::DType::f32), 1.0 / 3);
  const layers::Sliding three{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 0}};
  const layers::Sliding two{{2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}};
  int64_t channels = n.channels;
  for (const char* name : {"w1", "w2"}) {
    ir::Value* w = state(name, {3, 3, channels, n.filters});
    h = b.unary("tanh", layers::convolve(b, h, w, three, 1));
    h = b.reduce("reduce_max", layers::windows(b, h, two), {3, 4});
    channels = n.filters;
  }
  if (n.noise) {
    ir::Value* seed = graph->add_param(ir::ParamKind::scalar, "seed", {ir::DType::f64, {}}, "seed");
    ir::Value* step = b.constant(0, ir::DType::f64);
    h = b.mul(h,
              b.op("random_uniform", {seed, step},
                   {{"shape", h->type.shape}, {"dtype", ir::DType::f32}, {"stream", int64_t{7}}}));
  }
  const ir::Shape pixels(h->type.shape.begin() + 1, h->type.shape.end());
  const ir::Dim flat = ir::product(pixels);
  h = b.matmul(b.reshape(h, {{1, true}, flat}), state("w3", {flat.size, 5}));
  graph->add_output("y", h);
  graph->add_output("largest", b.reduce("reduce_max", h, {1}));
  passes::run_passes(*graph, passes::canonical_passes());
  return graph;
}

kernel::Plan plan_of(const ir::Graph& original, const kernel::Target& target) {
  auto graph = original.clone();
  passes::run_passes(*graph, passes::step_passes());
  std::map<std::string, size_t> offsets;
  for (const ir::Param& param : graph->params) offsets[param.external_name] = 0;
  kernel::Plan plan = kernel::make_plan(*graph, offsets, target);
  for (const kernel::RowBlocks& blocks : plan.blocks) {
    CHECK(blocks.rows < graph->batch);
    for (size_t g = blocks.first + 1; g < blocks.behind; ++g) CHECK(!plan.groups[g].barrier_before);
  }
  return plan;
}

const Network networks[] = {{1, 10, 1, 1},  {7, 10, 3, 17}, {40, 12, 1, 20},       {47, 11, 2, 3},
                            {64, 10, 1, 6}, {33, 13, 2, 5}, {40, 12, 1, 20, true}, {96, 10, 4, 4}};

TEST_CASE("networks in blocks of rows give the bits that they give in one go") {
  int blocked = 0;
  for (const Network& network : networks) {
    CAPTURE(network.rows);
    CAPTURE(network.filters);
    const auto graph = graph_of(network);
    const auto params = test::random_params(*graph, 3, -1, 1);
    for (kernel::Isa isa : test::runnable_isas())
      for (long l2 : {1L << 10, 40L << 10, 150L << 10}) {
        test::RunOptions options{.isa = isa, .l2_bytes = l2, .same_bits_threads = {2, 3}};
        blocked += plan_of(*graph, test::target_of(options)).blocks.empty() ? 0 : 1;
        for (int64_t rows : {network.rows, (network.rows + 2) / 3}) {
          auto some = graph->clone();
          some->batch = rows;
          const auto few = test::random_params(*some, 5, -1, 1);
          std::string whole, parts;
          options.rows = rows;
          options.l2_bytes = 1L << 30;
          CHECK(plan_of(*graph, test::target_of(options)).blocks.empty());
          test::run_native(*graph, few, options, &whole);
          options.l2_bytes = l2;
          test::run_native(*graph, few, options, &parts);
          CHECK(whole == parts);
        }
      }
    const auto expected = ir::evaluate(*graph, params);
    if (network.noise) continue;  // the reference draws other numbers
    const auto got = test::run_native(*graph, params,
                                      {.isa = test::runnable_isas().back(), .l2_bytes = 40L << 10});
    for (const auto& [name, tensor] : expected) CHECK(test::distance(got.at(name), tensor) < 1e-4);
  }
  CHECK(blocked >= 20);
}

// A step of two normalised convolutions with a shortcut: runs of groups that end at sums over the
// batch, and weights that are read in blocks before they are written.
std::unique_ptr<ir::Graph> step_of(const Network& n) {
  auto graph = std::make_unique<ir::Graph>("step", n.rows);
  ir::Builder b(*graph);
  ir::Value* x =
      graph->add_param(ir::ParamKind::input, "x",
                       {ir::DType::f32, {{1, true}, {n.side}, {n.side}, {n.filters}}}, "x");
  const double count = static_cast<double>(n.rows * n.side * n.side);
  const layers::Sliding three{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
  std::vector<ir::Value*> weights;
  ir::Value* h = x;
  for (const char* name : {"w1", "w2"}) {
    weights.push_back(
        graph->add_param(ir::ParamKind::state, name,
                         {ir::DType::f32, ir::fixed_shape({3, 3, n.filters, n.filters})}, name));
    ir::Value* y = layers::convolve(b, h, weights.back(), three, 1);
    const auto m = layers::moments_over(b, y, {0, 1, 2}, b.constant(1 / count, ir::DType::f32));
    y = b.mul(m.centred, layers::inverse_deviation(b, m.variance, 0.1));
    h = b.unary("relu", b.add(y, h));
  }
  ir::Value* loss = b.sum(b.mul(h, h), {0, 1, 2, 3});
  const auto gradients = autodiff::gradients(*graph, loss, weights);
  for (size_t i = 0; i < weights.size(); ++i)
    b.assign(weights[i], b.sub(weights[i], b.mul(gradients[i], 0.01)));
  graph->add_output("loss", loss);
  return graph;
}

TEST_CASE("training steps in blocks of rows give the bits that they give in one go") {
  int blocked = 0;
  for (const Network& network : {Network{5, 6, 0, 9}, {40, 8, 0, 16}, {33, 7, 0, 20}}) {
    CAPTURE(network.rows);
    const auto graph = step_of(network);
    const auto params = test::random_params(*graph, 3, -1, 1);
    for (kernel::Isa isa : test::runnable_isas())
      for (long l2 : {20L << 10, 100L << 10}) {
        test::RunOptions options{.isa = isa, .l2_bytes = l2, .same_bits_threads = {2, 3}};
        blocked += static_cast<int>(plan_of(*graph, test::target_of(options)).blocks.size());
        std::string whole, parts;
        test::run_native(*graph, params, options, &parts);
        options.l2_bytes = 1L << 30;
        CHECK(plan_of(*graph, test::target_of(options)).blocks.empty());
        test::run_native(*graph, params, options, &whole);
        CHECK(whole == parts);
      }
    const auto expected = ir::evaluate(*graph, params);
    const auto got = test::run_native(*graph, params,
                                      {.isa = test::runnable_isas().back(), .l2_bytes = 20L << 10});
    for (const auto& [name, tensor] : expected) CHECK(test::distance(got.at(name), tensor) < 1e-3);
  }
  CHECK(blocked >= 20);
}

TEST_CASE("random graphs, in blocks of a row or two") {
  int blocked = 0;
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    const auto graph = testing::generate_graph(seed, testing::random_options(seed));
    if (seed % 2 == 0)
      std::erase_if(graph->nodes,
                    [](const auto& node) { return node->op->family == ir::Family::state; });
    graph->remove_dead();
    test::RunOptions options{.isa = test::runnable_isas().back(), .same_bits_threads = {2}};
    options.l2_bytes = 256;
    if (graph->outputs.empty() || plan_of(*graph, test::target_of(options)).blocks.empty())
      continue;
    ++blocked;
    const auto params = test::random_params(*graph, seed, -1, 1);
    std::string whole, parts;
    test::run_native(*graph, params, options, &parts);
    options.l2_bytes = 0;
    test::run_native(*graph, params, options, &whole);
    CHECK(whole == parts);
  }
  CHECK(blocked >= 10);
}

TEST_CASE("blocks of rows need the memory of one block for each thread") {
  const auto graph = graph_of({.rows = 512, .side = 16, .channels = 1, .filters = 20});
  kernel::Target target = kernel::target_for(kernel::Isa::avx2);
  const kernel::Plan parts = plan_of(*graph, target);
  target.l2_bytes = 1L << 30;
  const kernel::Plan whole = plan_of(*graph, target);
  REQUIRE(parts.blocks.size() == 1);
  CHECK(parts.thread_bytes <= (512 << 10) * 3 / 4 + 64);
  CHECK(parts.arena_bytes < whole.arena_bytes / 8);
}

}  // namespace
