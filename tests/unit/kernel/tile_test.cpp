// Register tiles for every shape and target: they fit, they cover, and the cost behind them is
// sane. Whether the cost tells the truth is measured in tests/tiles.
#include <doctest/doctest.h>

#include "compiler/kernel/tile.h"

namespace {

using namespace nnc::kernel;

const int64_t sizes[] = {1,  2,  3,   5,   7,   8,   10,  13,  16,  17,  31,  32,  33,
                         48, 64, 100, 127, 128, 129, 200, 256, 300, 512, 784, 1000};

TEST_CASE("every tile fits into the registers and its panels cover the columns exactly") {
  for (Isa isa : {Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon}) {
    const Target target = target_for(isa);
    for (int bytes : {4, 8})
      for (int64_t m : sizes)
        for (int64_t n : sizes) {
          CAPTURE(name_of(isa));
          CAPTURE(bytes);
          CAPTURE(m);
          CAPTURE(n);
          const TileShape shape{m, n, 100, 0, bytes};
          const auto list = tile_candidates(shape, target);
          REQUIRE(!list.empty());
          bool good = true;
          for (const Tile& tile : list) {
            good &= tile.lanes == (n == 1 ? 1 : target.lanes(bytes));
            good &= tile.rows >= 1 && tile.rows <= m;
            int64_t vectors = 0, wide = 0;
            for (size_t i = 0; i < tile.panels.size(); ++i) {
              const int64_t panel = tile.panels[i];
              wide += panel == tile.panels.front();
              good &= panel <= tile.panels.front() && panel >= tile.panels.back();
              // Sums, the vectors of B, and one element of A.
              good &= panel >= 1 && tile.rows * panel + panel + 1 <= target.registers;
              vectors += panel;
            }
            good &= vectors == (n + tile.lanes - 1) / tile.lanes;
            good &= wide == tile.panels.wide();
          }
          CHECK(good);
        }
  }
}

TEST_CASE("more work never costs less") {
  const Target target = target_for(Isa::avx512);
  for (int64_t rows : {1, 4, 8})
    for (const Panels& panels : {Panels{1, 1}, Panels{3, 1}, Panels{5, 2}})
      for (size_t i = 0; i + 1 < std::size(sizes); ++i) {
        const Tile tile{rows, 16, panels};
        const auto cycles = [&](int64_t m, int64_t k) {
          return tile_cycles({m, 16 * panels.front(), k, 0, 4}, tile, target);
        };
        CHECK(cycles(sizes[i], 50) > 0);
        CHECK(cycles(50, sizes[i + 1]) > cycles(50, sizes[i]));
        // Whole tiles only: a few rows left over may cost more than one full tile.
        CHECK(cycles(rows * sizes[i + 1], 50) > cycles(rows * sizes[i], 50));
      }
}

TEST_CASE("no candidate is cheaper than the one that is chosen") {
  const Target target = target_for(Isa::avx512);
  for (int64_t m : {1, 7, 64, 128})
    for (int64_t n : {10, 32, 128, 300}) {
      CAPTURE(m);
      CAPTURE(n);
      const TileShape shape{m, n, 200, 3, 4};
      const double cost = tile_cycles(shape, choose_tile(shape, target), target);
      for (const Tile& tile : tile_candidates(shape, target))
        CHECK(cost <= tile_cycles(shape, tile, target));
    }
}

TEST_CASE("columns whose panel falls out of the first cache are narrow") {
  // 128 rows of 512 bytes, 784 products of four columns: 256 bytes of each would fill it.
  const Target target = target_for(Isa::avx512);
  CHECK(choose_tile({784, 128, 128, 30, 4}, target).panels.front() <= 2);
}

}  // namespace
