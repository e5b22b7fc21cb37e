// Transposed copies, which are turned in registers 16 by 16 elements at a time, of all sizes around
// such a tile: a copy changes no bit.
#include <doctest/doctest.h>

#include "compiler/ir/builder.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

TEST_CASE("transposed copies hold what they were made from") {
  const std::vector<std::vector<int64_t>> shapes = {
      {16, 16},    {128, 10},    {17, 130},    {1, 40},       {2, 128, 64}, {3, 16, 16},
      {1, 33, 17}, {2, 48, 130}, {5, 19, 100}, {4, 7, 64},    {2, 64, 5},   {1, 16, 1},
      {7, 31, 32}, {2, 300, 48}, {3, 1, 18},   {2, 3, 20, 17}};
  for (const auto& sizes : shapes)
    for (const ir::DType dtype : {ir::DType::f32, ir::DType::f64}) {
      CAPTURE(sizes);
      ir::Graph graph("copies", 4);
      ir::Builder b(graph);
      ir::Value* w =
          graph.add_param(ir::ParamKind::state, "w", {dtype, ir::fixed_shape(sizes)}, "w");
      std::vector<int64_t> turned(sizes.size());
      for (size_t d = 0; d < sizes.size(); ++d) turned[d] = static_cast<int64_t>(d);
      std::swap(turned[sizes.size() - 2], turned[sizes.size() - 1]);
      graph.add_output("t", b.transpose(w, turned));
      const auto params = test::random_params(graph, 3, -1, 1);
      const auto expected = ir::evaluate(graph, params);
      for (const kernel::Isa isa : test::runnable_isas()) {
        const auto got = test::run_native(graph, params, {.isa = isa, .same_bits_threads = {2, 3}});
        CHECK(got.at("t").data == expected.at("t").data);
      }
    }
}

}  // namespace
