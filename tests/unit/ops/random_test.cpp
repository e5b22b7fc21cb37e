// Random numbers: the published sequence, the moments, and what they may depend on.
#include <doctest/doctest.h>

#include <cmath>

#include "compiler/ir/builder.h"
#include "compiler/ops/generator/philox.h"
#include "tests/support/op_samples.h"

namespace nnc::testing {
namespace {

using namespace nnc::ir;

std::vector<double> draw(const std::string& op, DType dtype, int64_t count, double seed,
                         double step, int64_t stream) {
  Graph graph;
  Builder b(graph);
  Value* s = graph.add_param(ParamKind::scalar, "seed", {DType::f64, {}});
  Value* t = graph.add_param(ParamKind::scalar, "step", {DType::f64, {}});
  graph.add_output(
      "y", b.op(op, {s, t}, {{"stream", stream}, {"shape", Shape{{count}}}, {"dtype", dtype}}));
  return evaluate(graph, {{"seed", {{}, {seed}}}, {"step", {{}, {step}}}}).at("y").data;
}

}  // namespace

TEST_CASE("Philox gives the published numbers") {
  // kat_vectors of the Random123 distribution: counter and key of zeros, and of the digits of pi.
  using Words = ops::philox::Words;
  CHECK(ops::philox::block(0, 0, 0, 0, 0) ==
        Words{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
  CHECK(
      ops::philox::block(0x299f31d0a4093822ull, 0, 0x85a308d3243f6a88ull, 0x13198a2e, 0x03707344) ==
      Words{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST_CASE("uniform and normal numbers have their moments") {
  constexpr int64_t count = 100000;
  for (DType dtype : {DType::f32, DType::f64}) {
    for (const std::string op : {"random_uniform", "random_normal"}) {
      CAPTURE(op);
      const std::vector<double> numbers = draw(op, dtype, count, 42, 3, 7);
      double sum = 0, squares = 0, neighbours = 0;
      for (size_t i = 0; i < numbers.size(); ++i) {
        sum += numbers[i] / count;
        squares += numbers[i] * numbers[i] / count;
        if (i > 0) neighbours += numbers[i] * numbers[i - 1] / count;
      }
      const bool uniform = op == "random_uniform";
      const double mean = uniform ? 0.5 : 0, square = uniform ? 1.0 / 3 : 1;
      // Five standard deviations of the mean of 100,000.
      CHECK(std::fabs(sum - mean) < 5 * (uniform ? 0.29 : 1) / std::sqrt(count));
      CHECK(std::fabs(squares - square) < 5 * (uniform ? 0.3 : 1.42) / std::sqrt(count));
      CHECK(std::fabs(neighbours - mean * mean) < 5 * (uniform ? 0.32 : 1) / std::sqrt(count));
    }
  }
}

TEST_CASE("another seed, step or stream gives other numbers; more elements change none") {
  const auto first = draw("random_uniform", DType::f64, 10, 1, 2, 3);
  CHECK(draw("random_uniform", DType::f64, 10, 1, 2, 3) == first);
  CHECK(draw("random_uniform", DType::f64, 10, 2, 2, 3) != first);
  CHECK(draw("random_uniform", DType::f64, 10, 1, 3, 3) != first);
  CHECK(draw("random_uniform", DType::f64, 10, 1, 2, 4) != first);
  auto longer = draw("random_uniform", DType::f64, 99, 1, 2, 3);
  longer.resize(10);
  CHECK(longer == first);
}

}  // namespace nnc::testing
