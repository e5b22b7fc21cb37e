// Long sums of numbers of one sign in f32: their error may not grow with the number of terms.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compiler/ir/op.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

// The largest relative error of the output `s` for operands between low and high. `in_chains`:
// whether a group has to say so.
double error_of(const std::string& text, double low, double high, bool in_chains = false) {
  const auto graph = ir::parse(text);
  test::Tensors params = test::random_params(*graph, 11, low, high);
  for (auto& [name, tensor] : params)
    for (double& x : tensor.data) x = static_cast<float>(x);
  const ir::Tensor exact = ir::evaluate(*graph, params).at("s");
  double worst = 0;
  for (const kernel::Isa isa : test::runnable_isas()) {
    std::vector<std::string> schedules;
    const auto got = test::run_native(
        *graph, params,
        {.isa = isa, .l2_bytes = 1 << 16, .same_bits_threads = {2, 3}, .schedules = &schedules});
    for (size_t i = 0; i < exact.data.size(); ++i)
      worst = std::max(worst, std::abs(got.at("s").data[i] - exact.data[i]) / exact.data[i]);
    const auto has_chains = [](const std::string& schedule) {
      return schedule.find("in chains") != std::string::npos;
    };
    if (in_chains) CHECK(std::any_of(schedules.begin(), schedules.end(), has_chains));
  }
  return worst;
}

// One chain of a million equal terms would be off by up to 1e-2, of random ones by 1e-4.
const char* const rows =
    "graph @rows(%x: f32[1000000b,3]) {\n"
    "  %s: f32[3] = reduce_sum %x {axes=[0]}\n  return s=%s\n}\n";
const char* const pixels =
    "graph @pixels(%x: f32[4b,160,160,3]) {\n"
    "  %s: f32[3] = reduce_sum %x {axes=[0,1,2]}\n  return s=%s\n}\n";
const char* const all =
    "graph @all(%x: f32[1000b,1000]) {\n"
    "  %s: f32[] = reduce_sum %x {axes=[0,1]}\n  return s=%s\n}\n";
const char* const row =
    "graph @row(%x: f32[2b,499979]) {\n"
    "  %s: f32[2b] = reduce_sum %x {axes=[1]}\n  return s=%s\n}\n";
const char* const lines =
    "graph @lines(%x: f32[2b,3001,7,19]) {\n"
    "  %s: f32[2b] = reduce_sum %x {axes=[1,2,3]}\n  return s=%s\n}\n";

}  // namespace

TEST_CASE("long sums are as exact as short ones") {
  for (const char* text : {rows, pixels, all, row, lines}) {
    CAPTURE(text);
    CHECK(error_of(text, 0, 1) < 3e-7);
    CHECK(error_of(text, 0.1, 0.1) < 1e-6);  // equal terms round to the same side
  }
}

TEST_CASE("infinite terms make an infinite sum") {
  const auto graph = ir::parse(row);
  test::Tensors params = test::random_params(*graph, 3, 0, 1);
  params.at("x").data[77] = HUGE_VAL;
  const auto sums = test::run_native(*graph, params, {}).at("s").data;
  CHECK(sums[0] == HUGE_VAL);
  CHECK(std::isfinite(sums[1]));
}

TEST_CASE("long sums of products are as exact as short ones") {
  const char* const dense =
      "graph @dense(%x: f32[9b,100003], %w: f32[100003,37] state) {\n"
      "  %s: f32[9b,37] = contract %x, %w {lhs=[1], rhs=[0]}\n  return s=%s\n}\n";
  const char* const weights =
      "graph @weights(%x: f32[100003b,5], %d: f32[100003b,37]) {\n"
      "  %s: f32[5,37] = contract %x, %d {lhs=[0], rhs=[0]}\n  return s=%s\n}\n";
  const auto of_pictures = [](const std::string& rows, const std::string& size,
                              const std::string& out) {
    return "graph @pictures(%x: f32[" + rows + "," + size + "," + size + ",4], %d: f32[" + rows +
           "," + out + "," + out + ",16]) {\n  %v: f32[" + rows + "," + out + "," + out +
           ",3,3,4] = window %x {axes=[1,2], dilation=[1,1], size=[3,3], stride=[1,1]}\n"
           "  %s: f32[3,3,4,16] = contract %v, %d {lhs=[0,1,2], rhs=[0,1,2]}\n"
           "  return s=%s\n}\n";
  };
  const char* const last =
      "graph @last(%x: f32[32b,150,150,3], %d: f32[32b,150,150,5]) {\n"
      "  %y: f32[3,150,150,32b] = transpose %x {permutation=[3,1,2,0]}\n"
      "  %c: f32[3,150,150,32b] = copy %y\n"
      "  %e: f32[5,150,150,32b] = transpose %d {permutation=[3,1,2,0]}\n"
      "  %g: f32[5,150,150,32b] = copy %e\n"
      "  %s: f32[3,5] = contract %c, %g {lhs=[1,2,3], rhs=[1,2,3]}\n  return s=%s\n}\n";
  for (const std::string& text :
       {std::string(dense), std::string(weights), of_pictures("41b", "14", "12"),
        of_pictures("3b", "75", "73"), std::string(last)}) {
    CAPTURE(text);
    CHECK(error_of(text, 0, 1, true) < 1e-6);
  }
}
