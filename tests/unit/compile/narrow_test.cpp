// The pass `narrow` over random stacks of convolutions and pooling that leave pixels over: the same
// values and derivatives as without it, by the reference and natively, from less arithmetic.
#include <doctest/doctest.h>

#include <random>

#include "compiler/autodiff/autodiff.h"
#include "compiler/layers/convolve.h"
#include "compiler/passes/pass.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

class Stack {
 public:
  explicit Stack(uint64_t seed)
      : engine_(seed), graph_(std::make_unique<ir::Graph>("step", from(1, 5))), b_(*graph_) {
    side_ = from(9, 14);
    channels_ = from(1, 4);
    ir::Value* x = param(ir::ParamKind::input, "x", {{1, true}, {side_}, {side_}, {channels_}});
    wanted_ = {x};
    ir::Value* h = from(0, 1) ? b_.unary("tanh", x) : x;
    for (int layer = 0; layer < 2; ++layer) h = pooled(convolved(h, layer));
    std::vector<int64_t> axes;
    for (int64_t axis = 1; axis < h->type.rank(); ++axis) axes.push_back(axis);
    ir::Value* y = b_.sum(b_.mul(h, h), axes);
    if (whole_) y = b_.add(y, whole_);
    graph_->add_output("y", y);
  }

  // With derivatives, simplified before them; `narrow` or without that pass.
  std::unique_ptr<ir::Graph> graph(bool narrow, bool& changed) const {
    auto graph = graph_->clone();
    for (const passes::Pass& pass : passes::canonical_passes())
      if (narrow || pass.name != "narrow") {
        const bool did = pass.run(*graph);
        if (pass.name == "narrow") changed = did;
      }
    std::vector<ir::Value*> wanted;
    for (const ir::Value* value : wanted_)
      for (const ir::Param& param : graph->params)
        if (param.external_name == value->name) wanted.push_back(param.value.get());
    const auto gradients = autodiff::gradients(*graph, graph->outputs.front().value, wanted);
    for (size_t i = 0; i < wanted.size(); ++i)
      graph->add_output("d" + wanted[i]->name, gradients[i]);
    return graph;
  }

 private:
  int64_t from(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }

  ir::Value* param(ir::ParamKind kind, const std::string& name, const ir::Shape& shape) {
    return graph_->add_param(kind, name, {ir::DType::f32, shape}, name);
  }

  layers::Sliding sliding(int64_t size, int64_t stride, int64_t before, int64_t after) const {
    return {{size, size}, {stride, stride}, {1, 1}, {before, before}, {after, after}};
  }

  ir::Value* convolved(ir::Value* h, int layer) {
    const int64_t size = from(1, 3), filters = from(1, 6);
    ir::Value* w = param(ir::ParamKind::state, "w" + std::to_string(layer),
                         ir::fixed_shape({size, size, channels_, filters}));
    wanted_.push_back(w);
    const auto s = sliding(size, layer == 0 ? 1 : from(1, 2), from(0, 1), from(0, 1));
    if (h->type.shape[1].size + s.before[0] + s.after[0] < size) return h;
    channels_ = filters;
    h = b_.unary("tanh", layers::convolve(b_, h, w, s, 1));
    // A second reader, of every pixel.
    if (from(0, 4) == 0 && !whole_) whole_ = b_.sum(h, {1, 2, 3});
    return h;
  }

  ir::Value* pooled(ir::Value* h) {
    const int64_t extent = h->type.shape[1].size;
    const int64_t size = std::min(extent, from(1, 3)), stride = from(1, 3);
    const char* how = from(0, 1) ? "reduce_max" : "reduce_sum";
    return b_.reduce(how, layers::windows(b_, h, sliding(size, stride, 0, 0)), {3, 4});
  }

  std::mt19937_64 engine_;
  std::unique_ptr<ir::Graph> graph_;
  ir::Builder b_;
  int64_t side_ = 0, channels_ = 0;
  std::vector<ir::Value*> wanted_;
  ir::Value* whole_ = nullptr;
};

TEST_CASE("pixels that nobody reads are left out of values and derivatives") {
  int narrowed = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const Stack stack(seed);
    bool changed = false, ignored = false;
    const auto narrow = stack.graph(true, changed), wide = stack.graph(false, ignored);
    REQUIRE_NOTHROW(ir::verify(*narrow));
    narrowed += changed ? 1 : 0;
    const auto params = test::random_params(*narrow, seed, -1, 1);
    const auto expected = ir::evaluate(*wide, params), got = ir::evaluate(*narrow, params);
    for (const auto& [name, tensor] : expected) {
      CAPTURE(name);
      CHECK(test::distance(got.at(name), tensor) < 1e-12);
    }
    if (!changed || seed % 3 != 0) continue;
    const auto native = test::run_native(
        *narrow, params, {.isa = test::runnable_isas().back(), .same_bits_threads = {2}});
    for (const auto& [name, tensor] : expected) {
      CAPTURE(name);
      CHECK(test::distance(native.at(name), tensor) < 1e-4);
    }
  }
  CHECK(narrowed >= 20);
}

}  // namespace
