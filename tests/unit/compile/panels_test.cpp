// Weights in panels: the same bits as in rows, for every number of rows, vector level and thread
// count, and whatever stands around the product.
#include <doctest/doctest.h>

#include "compiler/ir/builder.h"
#include "compiler/kernel/contraction_map.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/prelude.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

struct Dense {
  int64_t rows, k, n;
  bool transposed = false;  // the weights are stored [n, k]
  ir::DType dtype = ir::DType::f32;
};

std::unique_ptr<ir::Graph> dense(const Dense& d) {
  auto graph = std::make_unique<ir::Graph>("dense", d.rows);
  ir::Builder b(*graph);
  const auto state = [&](const char* name, const std::vector<int64_t>& shape) {
    return graph->add_param(ir::ParamKind::state, name, {d.dtype, ir::fixed_shape(shape)}, name);
  };
  const ir::Shape row{{1, true}, {d.k, false}};
  ir::Value* x = graph->add_param(ir::ParamKind::input, "x", {d.dtype, row}, "x");
  ir::Value* w =
      d.transposed ? b.transpose(state("w", {d.n, d.k}), {1, 0}) : state("w", {d.k, d.n});
  ir::Value* sums = b.contract(b.unary("tanh", x), w, {1}, {0});
  ir::Value* bias = b.broadcast(state("bias", {d.n}), sums->type.shape, {1});
  graph->add_output("y", b.unary("relu", b.add(sums, bias)));
  return graph;
}

// The graph with its weights in panels, which join the parameters.
void take_panels(ir::Graph& graph, test::Tensors& params) {
  passes::run_passes(graph, passes::inference_passes());
  passes::Prelude prelude;
  REQUIRE(prelude.take_from(graph));
  REQUIRE(prelude.states().size() == 1);
  const passes::DerivedState& state = prelude.states().front();
  ir::Tensor& panels = params[state.name];
  for (const ir::Dim& dim : state.type.shape) panels.shape.push_back(dim.size);
  panels.data.resize(static_cast<size_t>(state.type.elements(1)));
  panels = ir::evaluate(prelude.graph(), params).at("state:" + state.name);
  ir::verify(graph);
}

bool reads_panels(const ir::Graph& graph) {
  for (const auto& node : graph.nodes)
    if (node->op->family == ir::Family::contraction)
      return kernel::map_contraction(*node)->panel_stride > 0;
  return false;
}

}  // namespace

TEST_CASE("weights in panels give the bits that weights in rows give") {
  const std::vector<Dense> cases = {
      {1, 64, 128},      {2, 97, 192},         {7, 64, 256},
      {61, 65, 128},     {64, 130, 320},       {5, 80, 128, true},
      {13, 300, 64 * 9}, {128, 70, 192, true}, {9, 64, 128, false, ir::DType::f64},
  };
  for (const Dense& d : cases) {
    CAPTURE(d.rows);
    CAPTURE(d.k);
    CAPTURE(d.n);
    const auto plain = dense(d);
    const auto panels = plain->clone();
    test::Tensors params = test::random_params(*plain, 5, -1, 1);
    test::Tensors with_panels = params;
    take_panels(*panels, with_panels);
    CHECK(reads_panels(*panels));
    for (const kernel::Isa isa : test::runnable_isas())
      for (const int64_t rows : {d.rows, int64_t{1}}) {
        test::Tensors few = params, few_with_panels = with_panels;
        for (auto* some : {&few, &few_with_panels}) {
          some->at("x").shape[0] = rows;
          some->at("x").data.resize(static_cast<size_t>(rows * d.k));
        }
        const auto options =
            test::RunOptions{.isa = isa, .rows = rows, .same_bits_threads = {2, 3}};
        const auto expected = test::run_native(*plain, few, options);
        const auto got = test::run_native(*panels, few_with_panels, options);
        CHECK(got.at("y").data == expected.at("y").data);
      }
  }
}

// Such a shape may come from a model, too, and from what is nowhere in memory.
TEST_CASE("what looks like panels and is not in memory is written out") {
  const auto graph = ir::parse(R"(graph @predict(%x: f32[5b,70], %w: f32[] state) {
  %c: f32[2,70,64] = broadcast %w {axes=[], shape=[2,70,64]}
  %t: f32[70,2,64] = transpose %c {permutation=[1,0,2]}
  %r: f32[70,128] = reshape %t {shape=[70,128]}
  %i: f32[2,70,64] = iota {axis=0, dtype=f32, shape=[2,70,64]}
  %u: f32[70,2,64] = transpose %i {permutation=[1,0,2]}
  %s: f32[70,128] = reshape %u {shape=[70,128]}
  %p: f32[5b,128] = contract %x, %r {lhs=[1], rhs=[0]}
  %q: f32[5b,128] = contract %x, %s {lhs=[1], rhs=[0]}
  %both: f32[5b,128] = add %p, %q
  return y=%both
}
)");
  const auto params = test::random_params(*graph, 2, -1, 1);
  const auto expected = ir::evaluate(*graph, params);
  const auto got = test::run_native(*graph, params, {.same_bits_threads = {2, 3}});
  CHECK(test::distance(got.at("y"), expected.at("y")) < 2e-5);
}

TEST_CASE("weights that are narrow, shallow or of uneven width stay as they are") {
  for (const Dense& d : std::vector<Dense>{{8, 64, 64}, {8, 63, 128}, {8, 64, 160}}) {
    const auto graph = dense(d);
    passes::run_passes(*graph, passes::inference_passes());
    passes::Prelude prelude;
    CHECK_FALSE(prelude.take_from(*graph));
  }
}
