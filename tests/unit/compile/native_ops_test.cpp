// Every op of the registry as native code against its reference evaluation: all samples, all vector
// levels that this machine runs, one to three threads.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/graph_runner.h"
#include "tests/support/op_samples.h"

namespace {

using namespace nnc;

// Terms of the longest sum in the result: what f32 rounding may grow with.
double longest_sum(const ir::OpDef& op, const ir::Sample& sample, int64_t batch) {
  if (op.family != ir::Family::reduction && op.family != ir::Family::contraction) return 1;
  double terms = 1;
  for (const ir::Dim& dim : sample.operands[0].shape)
    terms *= static_cast<double>(dim.extent(batch));
  return terms;
}

// A few ULP per element (the accuracy of the scalar functions), more for long sums.
double tolerance(const ir::OpDef& op, const ir::Sample& sample, const ir::Graph& graph) {
  if (sample.tolerance_f32 > 0) return sample.tolerance_f32;
  bool f64 = true;
  for (const ir::Output& output : graph.outputs)
    f64 = f64 && output.value->type.dtype == ir::DType::f64;
  const double ulp = f64 ? 0x1p-52 : 0x1p-23;
  return ulp * (8 + 4 * std::sqrt(longest_sum(op, sample, graph.batch)));
}

TEST_CASE("every op runs natively as the reference says") {
  std::mt19937_64 random(11);
  int checked = 0;
  for (const ir::OpDef* op : ir::all_ops()) {
    if (!op->samples) continue;
    const auto samples = op->samples();
    for (size_t i = 0; i < samples.size(); ++i) {
      const int64_t batch = i % 2 == 0 ? 5 : 37;
      const auto sample = testing::sample_graph(*op, samples[i], random, batch);
      const auto expected = ir::evaluate(*sample.graph, sample.values);
      const std::vector<int> threads = i % 3 == 0 ? std::vector<int>{2, 3} : std::vector<int>{};
      const std::string label = testing::describe(*op, samples[i], i);
      CAPTURE(label);
      for (kernel::Isa isa : test::runnable_isas()) {
        const std::string level = kernel::name_of(isa);
        CAPTURE(level);
        test::Tensors got;
        REQUIRE_NOTHROW(got = test::run_native(*sample.graph, sample.values,
                                               {.isa = isa, .same_bits_threads = threads}));
        for (const auto& [name, tensor] : expected) {
          CAPTURE(name);
          CHECK(test::distance(got.at(name), tensor) <= tolerance(*op, samples[i], *sample.graph));
        }
        ++checked;
      }
    }
  }
  CHECK(checked > 200);
}

}  // namespace
