// Sums of 100,000 numbers in f32: their error may not grow with the number of rows.
#include <doctest/doctest.h>

#include <cmath>

#include "compiler/ir/op.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

// The largest relative error of the output `s`.
double error_of(const std::string& text) {
  const auto graph = ir::parse(text);
  const test::Tensors params = test::random_params(*graph, 11, 0.5, 1.5);
  const ir::Tensor exact = ir::evaluate(*graph, params).at("s");
  double worst = 0;
  for (const kernel::Isa isa : test::runnable_isas()) {
    const auto got = test::run_native(*graph, params, {.isa = isa, .same_bits_threads = {2, 3}});
    for (size_t i = 0; i < exact.data.size(); ++i)
      worst = std::max(worst, std::abs(got.at("s").data[i] - exact.data[i]) / exact.data[i]);
  }
  return worst;
}

}  // namespace

TEST_CASE("long sums are as exact as short ones") {
  // One chain of 100,000 would be off by about 1e-5; the operands themselves are rounded to 3e-8.
  CHECK(error_of("graph @rows(%x: f32[100000b,3]) {\n"
                 "  %s: f32[3] = reduce_sum %x {axes=[0]}\n  return s=%s\n}\n") < 2e-6);
  CHECK(error_of("graph @pixels(%x: f32[4b,160,160,3]) {\n"
                 "  %s: f32[3] = reduce_sum %x {axes=[0,1,2]}\n  return s=%s\n}\n") < 2e-6);
  CHECK(error_of("graph @all(%x: f32[100b,1000]) {\n"
                 "  %s: f32[] = reduce_sum %x {axes=[0,1]}\n  return s=%s\n}\n") < 2e-6);
  CHECK(error_of("graph @row(%x: f32[1b,100000]) {\n"
                 "  %s: f32[1b] = reduce_sum %x {axes=[1]}\n  return s=%s\n}\n") < 4e-6);
}
