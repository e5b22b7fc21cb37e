// Whole graphs through fusion, lowering and the JIT against the reference evaluator, over odd
// shapes, every vector level and several threads; bits must not depend on the last two.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>

#include "compiler/kernel/program.h"
#include "compiler/passes/pass.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

// Forward, softmax cross entropy, gradients and SGD of one dense layer, written out.
std::string dense_step(int rows, int in, int out) {
  return fmt::format(
      R"(graph @step(%x: u8[{0}b,{1}], %t: i32[{0}b], %rate: f32[] scalar, %w: f32[{1},{2}] state, %b: f32[{2}] state) {{
  %xf: f32[{0}b,{1}] = cast %x {{dtype=f32}}
  %h: f32[{0}b,{2}] = contract %xf, %w {{lhs=[1], rhs=[0]}}
  %bb: f32[{0}b,{2}] = broadcast %b {{axes=[1], shape=[{0}b,{2}]}}
  %z: f32[{0}b,{2}] = add %h, %bb
  %m: f32[{0}b] = reduce_max %z {{axes=[1]}}
  %mb: f32[{0}b,{2}] = broadcast %m {{axes=[0], shape=[{0}b,{2}]}}
  %s: f32[{0}b,{2}] = sub %z, %mb
  %e: f32[{0}b,{2}] = exp %s
  %sum: f32[{0}b] = reduce_sum %e {{axes=[1]}}
  %sumb: f32[{0}b,{2}] = broadcast %sum {{axes=[0], shape=[{0}b,{2}]}}
  %p: f32[{0}b,{2}] = div %e, %sumb
  %c: i32[{0}b,{2}] = iota {{axis=1, dtype=i32, shape=[{0}b,{2}]}}
  %tb: i32[{0}b,{2}] = broadcast %t {{axes=[0], shape=[{0}b,{2}]}}
  %eq: bool[{0}b,{2}] = eq %c, %tb
  %hot: f32[{0}b,{2}] = cast %eq {{dtype=f32}}
  %g: f32[{0}b,{2}] = sub %p, %hot
  %logs: f32[{0}b] = log %sum
  %hs: f32[{0}b,{2}] = mul %hot, %s
  %own: f32[{0}b] = reduce_sum %hs {{axes=[1]}}
  %loss: f32[{0}b] = sub %logs, %own
  %dw: f32[{1},{2}] = contract %xf, %g {{lhs=[0], rhs=[0]}}
  %db: f32[{2}] = reduce_sum %g {{axes=[0]}}
  %dx: f32[{0}b,{1}] = contract %g, %w {{lhs=[1], rhs=[1]}}
  %rw: f32[{1},{2}] = broadcast %rate {{axes=[], shape=[{1},{2}]}}
  %uw: f32[{1},{2}] = mul %dw, %rw
  %nw: f32[{1},{2}] = sub %w, %uw
  %rb: f32[{2}] = broadcast %rate {{axes=[], shape=[{2}]}}
  %ub: f32[{2}] = mul %db, %rb
  %nb: f32[{2}] = sub %b, %ub
  assign %w, %nw
  assign %b, %nb
  return loss=%loss, dx=%dx
}}
)",
      rows, in, out);
}

test::Tensors dense_params(const ir::Graph& graph, int classes) {
  auto params = test::random_params(graph, 3, -1, 1);
  for (double& label : params["t"].data) label = static_cast<int>(label + 5) % classes;
  for (double& pixel : params["x"].data) pixel = static_cast<int>(pixel * 7 + 8) % 3;
  params["rate"].data = {0.125};
  return params;
}

bool any_is(const std::vector<std::string>& schedules, const std::string& what) {
  return std::any_of(schedules.begin(), schedules.end(), [&](const std::string& schedule) {
    return schedule.find(what) != std::string::npos;
  });
}

TEST_CASE("a dense training step is what the reference says, on every level and thread count") {
  const int shapes[][3] = {{1, 1, 1},    {4, 3, 2},   {9, 43, 3},    {7, 13, 10},
                           {32, 20, 17}, {37, 5, 33}, {64, 70, 128}, {19, 784, 11}};
  for (const auto& shape : shapes) {
    const auto graph = ir::parse(dense_step(shape[0], shape[1], shape[2]));
    const auto params = dense_params(*graph, shape[2]);
    const auto expected = ir::evaluate(*graph, params);
    std::string first_fma_bits;
    for (kernel::Isa isa : test::runnable_isas()) {
      std::string bits;
      std::vector<std::string> schedules;
      const auto got = test::run_native(
          *graph, params, {.isa = isa, .same_bits_threads = {2, 3}, .schedules = &schedules},
          &bits);
      // Narrow weights are updated as one run of elements.
      if (shape[2] == 2 || shape[2] == 3) CHECK(any_is(schedules, "side by side"));
      for (const auto& [name, tensor] : expected) {
        CAPTURE(name);
        CAPTURE(kernel::name_of(isa));
        CAPTURE(shape[0]);
        CAPTURE(shape[1]);
        // Rounding of sums of up to 784 products of numbers up to 2.
        CHECK(test::distance(got.at(name), tensor) < 2e-5);
      }
      if (!kernel::target_for(isa).fma) continue;
      if (first_fma_bits.empty()) first_fma_bits = bits;
      CHECK(bits == first_fma_bits);
    }
  }
}

// A machine of small caches updates weights along their rows; odd numbers of them, and fewer rows
// than a tile has.
TEST_CASE("weights that do not stay in a cache are updated with the same bits") {
  for (const auto& [rows, in] : {std::pair{5, 37}, {16, 61}, {33, 18}}) {
    const auto graph = ir::parse(dense_step(rows, in, 512));
    const auto params = dense_params(*graph, 512);
    for (kernel::Isa isa : test::runnable_isas()) {
      std::string usual, streamed;
      std::vector<std::string> schedules;
      test::RunOptions options{.isa = isa};
      test::run_native(*graph, params, options, &usual);
      options.same_bits_threads = {2, 3, 4};
      options.l2_bytes = 4096;
      options.schedules = &schedules;
      test::run_native(*graph, params, options, &streamed);
      CAPTURE(in);
      CAPTURE(kernel::name_of(isa));
      CHECK(streamed == usual);
      CHECK(any_is(schedules, "along rows"));
    }
  }
}

// A weight gradient, and an update of weights and squares with a root and a division.
std::string adaptive_step(int rows, int in, int out) {
  return fmt::format(
      R"(graph @step(%x: f32[{0}b,{1}], %g: f32[{0}b,{2}], %w: f32[{1},{2}] state, %v: f32[{1},{2}] state) {{
  %dw: f32[{1},{2}] = contract %x, %g {{lhs=[0], rhs=[0]}}
  %sq: f32[{1},{2}] = mul %dw, %dw
  %nv: f32[{1},{2}] = add %v, %sq
  %r: f32[{1},{2}] = sqrt %nv
  %q: f32[{1},{2}] = div %dw, %r
  %nw: f32[{1},{2}] = sub %w, %q
  assign %w, %nw
  assign %v, %nv
  return dw=%dw
}}
)",
      rows, in, out);
}

// Cores whose roots run beside multiply-adds update a tile between the sums of the next one: a
// single tile, rows that are left over, panels that go along the rows, and all on other cores too.
TEST_CASE("updates between sums change no bits") {
  int between = 0, along = 0;
  for (const auto& [rows, in, out] :
       {std::tuple{64, 1, 64}, {131, 6, 128}, {77, 8, 256}, {128, 61, 512}, {53, 45, 96}}) {
    CAPTURE(in);
    const auto graph = ir::parse(adaptive_step(rows, in, out));
    auto params = test::random_params(*graph, static_cast<uint64_t>(in), -1, 1);
    for (double& square : params["v"].data) square += 2;
    const auto expected = ir::evaluate(*graph, params);
    for (kernel::Isa isa : test::runnable_isas()) {
      CAPTURE(kernel::name_of(isa));
      std::string usual, other;
      test::RunOptions options{.isa = isa, .same_bits_threads = {2, 3}};
      const auto got = test::run_native(*graph, params, options, &usual);
      for (const auto& [name, tensor] : expected)
        CHECK(test::distance(got.at(name), tensor) < 2e-5);
      for (long l2_bytes : {0, 4096}) {
        std::vector<std::string> schedules;
        options.core = kernel::Core::intel;
        options.l2_bytes = l2_bytes;
        options.schedules = &schedules;
        test::run_native(*graph, params, options, &other);
        CHECK(other == usual);
        between += any_is(schedules, "between sums");
        along += any_is(schedules, "along rows, between sums");
      }
    }
  }
  CHECK(between > 0);
  CHECK(along > 0);
}

// A power takes hundreds of instructions: once for each vector of a tile, compilers would read them
// for minutes.
TEST_CASE("what follows a product at great length is written once, and is the same") {
  for (const auto& [rows, k, n] : {std::tuple{37, 20, 48}, {64, 6, 96}, {1, 9, 130}}) {
    CAPTURE(n);
    const auto graph = ir::parse(fmt::format(
        R"(graph @predict(%x: f32[{0}b,{1}], %w: f32[{1},{2}] state, %t: f32[{0}b,{2}]) {{
  %p: f32[{0}b,{2}] = contract %x, %w {{lhs=[1], rhs=[0]}}
  %q: f32[{0}b,{2}] = mul %p, %p
  %one: f32[{0}b,{2}] = constant {{dtype=f32, shape=[{0}b,{2}], value=1.0}}
  %s: f32[{0}b,{2}] = add %q, %one
  %e: f32[{0}b,{2}] = constant {{dtype=f32, shape=[{0}b,{2}], value=-0.75}}
  %r: f32[{0}b,{2}] = pow %s, %e
  %y: f32[{0}b,{2}] = mul %t, %r
  return y=%y
}}
)",
        rows, k, n));
    const auto params = test::random_params(*graph, 4, -1, 1);
    const auto expected = ir::evaluate(*graph, params);
    for (kernel::Isa isa : test::runnable_isas()) {
      const auto got = test::run_native(*graph, params, {.isa = isa, .same_bits_threads = {2, 3}});
      CHECK(test::distance(got.at("y"), expected.at("y")) < 2e-5);
    }
    passes::run_passes(*graph, passes::step_passes());
    const auto program = kernel::lower_program(*graph, {{"w", 0}}, kernel::host_target());
    const std::string text = kernel::print(program.module);
    CHECK(std::count(text.begin(), text.end(), '\n') < 3500);  // twice as many otherwise
  }
}

// A free parameter in a formula of vectors: its gradient is a sum over the batch and the vector.
TEST_CASE("a sum over the batch and short rows takes every row") {
  for (const char* type : {"f32", "f64"}) {
    for (const auto& [rows, n] : {std::pair{1, 5}, {2, 1}, {15, 3}, {37, 16}, {5, 64}, {3, 65}}) {
      const auto graph = ir::parse(fmt::format(R"(graph @step(%x: {0}[{1}b,{2}]) {{
  %s: {0}[] = reduce_sum %x {{axes=[0,1]}}
  %m: {0}[] = reduce_max %x {{axes=[0,1]}}
  return s=%s, m=%m
}}
)",
                                               type, rows, n));
      const auto params = test::random_params(*graph, 3, -1, 1);
      const auto expected = ir::evaluate(*graph, params);
      for (kernel::Isa isa : test::runnable_isas()) {
        const auto got =
            test::run_native(*graph, params, {.isa = isa, .same_bits_threads = {2, 3}});
        for (const auto& [name, tensor] : expected) {
          CAPTURE(name);
          CAPTURE(rows);
          CAPTURE(n);
          CHECK(test::distance(got.at(name), tensor) < 2e-5);
        }
      }
    }
  }
}

}  // namespace
