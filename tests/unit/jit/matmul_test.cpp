// The quality of generated code, on the kernel that matters most.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "tests/unit/jit/samples.h"

using namespace nnc;

namespace {

struct Tile {
  kernel::Isa isa;
  int rows, vectors;
};

constexpr Tile tiles[] = {{kernel::Isa::avx512, 6, 4},
                          {kernel::Isa::avx512, 14, 2},
                          {kernel::Isa::avx2, 6, 2},
                          {kernel::Isa::avx2, 4, 3},
                          {kernel::Isa::neon, 6, 4}};

std::unique_ptr<jit::Executable> compile_tile(const Tile& tile, bool quick = false) {
  jit::Options options;
  options.target = kernel::host_target(tile.isa);
  kernel::Module module;
  module.waited_for = quick;
  testing::add_matmul(module, "matmul", options.target, tile.rows, tile.vectors);
  testing::add_peak(module, "peak", options.target);
  kernel::verify(module);
  return jit::compile(module, options);
}

template <typename Call>
double seconds(const Call& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("matrix kernels add up row times column in order") {
  for (const Tile& tile : tiles) {
    if (!kernel::host_supports(tile.isa)) continue;
    const kernel::Target target = kernel::target_for(tile.isa);
    const int columns = tile.vectors * target.lanes(4), k = 19;
    std::vector<float> a(tile.rows * k), b(k * columns), c(tile.rows * columns, 0.5f);
    for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 17) - 8;
    for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i % 23) - 11;
    auto executable = compile_tile(tile);
    auto matmul = reinterpret_cast<testing::MatmulFn>(executable->lookup("matmul"));
    matmul(a.data(), b.data(), c.data(), k, k, columns, columns);
    bool equal = true;  // whole numbers: exact in every order
    for (int row = 0; row < tile.rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        float sum = 0.5f;
        for (int i = 0; i < k; ++i) sum += a[row * k + i] * b[i * columns + column];
        equal = equal && sum == c[row * columns + column];
      }
    }
    CHECK(equal);
  }
}

namespace {

void check_speed(const Tile& tile, bool quick) {
  CAPTURE(std::string(kernel::name_of(tile.isa)));
  CAPTURE(tile.rows);
  CAPTURE(tile.vectors);
  CAPTURE(quick);
  auto executable = compile_tile(tile, quick);
  const int lanes = kernel::target_for(tile.isa).lanes(4), columns = tile.vectors * lanes;
  constexpr int64_t k = 512, calls = 20, peak_rounds = 40000;
  std::vector<float> a(tile.rows * k, 1), b(k * columns, 1), c(tile.rows * columns, 0);
  std::vector<float> factor(lanes, 0.5f);
  auto matmul = reinterpret_cast<testing::MatmulFn>(executable->lookup("matmul"));
  auto peak = reinterpret_cast<testing::PeakFn>(executable->lookup("peak"));
  // Where four instructions begin in a cycle, a neighbour on the same core takes more from loads
  // and multiply-adds together than from the multiply-adds of the peak alone.
  const double share = kernel::host_core() == kernel::Core::intel ? 0.5 : 0.85;
  // Both in turns, the best of many: other processes only ever make it slower. They come and go, so
  // that a peak from before says nothing after a while.
  constexpr int rounds = 4000, rounds_of_a_while = 100, least = 20;
  double best_peak = 0, best = 0;
  const auto too_few = [](int round) { return round % rounds_of_a_while < least; };
  for (int round = 0; round < rounds && (too_few(round) || best < share * best_peak); ++round) {
    if (round % rounds_of_a_while == 0) best_peak = best = 0;
    const double flops = 2.0 * tile.rows * columns * k * calls;
    best = std::max(best, flops / seconds([&] {
                            for (int i = 0; i < calls; ++i) {
                              matmul(a.data(), b.data(), c.data(), k, k, columns, columns);
                            }
                          }));
    const double peak_flops = 2.0 * 12 * lanes * peak_rounds;
    best_peak =
        std::max(best_peak, peak_flops / seconds([&] { peak(factor.data(), peak_rounds); }));
  }
  CAPTURE(best_peak * 1e-9);
  CAPTURE(best * 1e-9);
  CHECK(best >= share * best_peak);
}

}  // namespace

TEST_CASE("matrix kernels spill nothing") {
  for (const Tile& tile : tiles) {
    for (bool quick : {false, true}) {
      CAPTURE(std::string(kernel::name_of(tile.isa)));
      CAPTURE(tile.rows);
      CAPTURE(quick);
      // Saved integer registers are the whole frame; one spilled vector more would be over it.
      if (kernel::host_supports(tile.isa)) {
        CHECK(compile_tile(tile, quick)->stack_bytes().at("matmul") <= 56);
      }
    }
  }
}

// Of these nobody is judged whose machine others use too: see tests/README.md.
TEST_SUITE_BEGIN("clock");

TEST_CASE("matrix kernels come near the peak of the machine") {
  for (const Tile& tile : tiles)
    for (bool quick : {false, true})
      if (kernel::host_supports(tile.isa)) check_speed(tile, quick);
}

TEST_SUITE_END();
