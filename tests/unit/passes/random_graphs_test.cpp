// Random graphs as native code against the reference evaluator: every vector level, one to three
// threads; the bits must depend on neither threads nor the width of the vectors.
#include <doctest/doctest.h>

#include <cstdlib>

#include "compiler/ir/op.h"
#include "tests/support/graph_generator.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

// Empty if all is well.
std::string check_graph(uint64_t seed) {
  const auto options = testing::random_options(seed);
  const auto graph = testing::generate_graph(seed, options);
  ir::verify(*graph);
  // The last batch of an epoch has fewer rows, and the same code.
  const auto full = graph->batch;
  const int64_t rows = seed % 3 == 0 ? 1 + static_cast<int64_t>(seed * 7) % full : full;
  graph->batch = rows;
  const auto params = test::random_params(*graph, seed, -1, 1);
  const auto expected = ir::evaluate(*graph, params);
  graph->batch = full;
  // Chains of up to some twenty roundings and sums of some hundred terms of numbers up to 4.
  const double tolerance = options.dtype == ir::DType::f64 ? 1e-11 : 1e-4;
  std::string fma_bits;
  for (kernel::Isa isa : test::runnable_isas()) {
    std::string bits;
    const std::string level = kernel::name_of(isa);
    test::Tensors got;
    try {
      got = test::run_native(*graph, params,
                             {.isa = isa, .rows = rows, .same_bits_threads = {2, 3}}, &bits);
    } catch (const std::exception& error) {
      return level + ": " + error.what();
    }
    for (const auto& [name, tensor] : expected) {
      const double distance = test::distance(got.at(name), tensor);
      if (!(distance <= tolerance))
        return level + ": " + name + " is off by " + std::to_string(distance);
    }
    if (!kernel::target_for(isa).fma) continue;
    if (fma_bits.empty()) fma_bits = bits;
    if (bits != fma_bits) return level + ": other bits than the level below";
  }
  return {};
}

TEST_CASE("random graphs run natively as the reference says, with the same bits everywhere") {
  // NNC_RANDOM_GRAPHS="first count" looks further than the fast tests do.
  uint64_t first = 1, count = 60;
  if (const char* wish = std::getenv("NNC_RANDOM_GRAPHS"))
    std::sscanf(wish, "%lu %lu", &first, &count);
  for (uint64_t seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    const std::string problem = check_graph(seed);
    std::string text;
    if (!problem.empty())
      text = ir::print(*testing::generate_graph(seed, testing::random_options(seed)));
    CHECK_MESSAGE(problem.empty(), problem << "\n" << text);
  }
}

}  // namespace
