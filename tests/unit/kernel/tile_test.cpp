// Register tiles for every shape and target: they fit, they cover, and the cost behind them is
// sane.
#include <doctest/doctest.h>

#include "compiler/kernel/tile.h"

namespace {

using namespace nnc::kernel;

const int64_t sizes[] = {1,  2,  3,   5,   7,   8,   10,  13,  16,  17,  31,  32,  33,
                         48, 64, 100, 127, 128, 129, 200, 256, 300, 512, 784, 1000};

TEST_CASE("a tile fits into the registers and its panels cover the columns exactly") {
  for (Isa isa : {Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon}) {
    const Target target = target_for(isa);
    for (const auto& [bytes, epilogue] : {std::pair(4, 0), std::pair(8, 0), std::pair(4, 40)})
      for (int64_t m : sizes)
        for (int64_t n : sizes) {
          CAPTURE(name_of(isa));
          CAPTURE(bytes);
          CAPTURE(m);
          CAPTURE(n);
          const Tile tile = choose_tile(m, n, 100, epilogue, bytes, target);
          REQUIRE(!tile.panels.empty());
          CHECK(tile.lanes == (n == 1 ? 1 : target.lanes(bytes)));
          CHECK(tile.rows >= 1);
          CHECK(tile.rows <= m);
          int64_t vectors = 0;
          for (int64_t panel : tile.panels) {
            CHECK(panel >= 1);
            // Sums, the vectors of B, and one element of A.
            CHECK(tile.rows * panel + panel + 1 <= target.registers);
            vectors += panel;
          }
          CHECK(vectors == (n + tile.lanes - 1) / tile.lanes);
        }
  }
}

TEST_CASE("more work never costs less") {
  for (int64_t rows : {1, 4, 8})
    for (const std::vector<int64_t>& panels :
         {std::vector<int64_t>{1}, std::vector<int64_t>{3}, std::vector<int64_t>{3, 2}})
      for (size_t i = 0; i + 1 < std::size(sizes); ++i) {
        CHECK(tile_cycles(sizes[i], 50, rows, panels) > 0);
        CHECK(tile_cycles(50, sizes[i + 1], rows, panels) >
              tile_cycles(50, sizes[i], rows, panels));
        // Whole tiles only: a few rows left over may cost more than one full tile.
        CHECK(tile_cycles(rows * sizes[i + 1], 50, rows, panels) >
              tile_cycles(rows * sizes[i], 50, rows, panels));
      }
  CHECK(tile_cycles(64, 64, 8, {3, 3}) == doctest::Approx(2 * tile_cycles(64, 64, 8, {3})));
}

TEST_CASE("no tile that was passed over is cheaper by the same cost") {
  const Target target = target_for(Isa::avx512);
  for (int64_t m : {1, 7, 64, 128})
    for (int64_t n : {10, 32, 128, 300}) {
      CAPTURE(m);
      CAPTURE(n);
      const Tile best = choose_tile(m, n, 200, 0, 4, target);
      const double cost = tile_cycles(m, 200, best.rows, best.panels);
      const int64_t vectors = (n + 15) / 16;
      for (int64_t rows = 1; rows <= std::min<int64_t>(m, 28); ++rows)
        if (rows + 1 + 1 <= target.registers)
          CHECK(cost <=
                tile_cycles(m, 200, rows, std::vector<int64_t>(static_cast<size_t>(vectors), 1)));
    }
}

}  // namespace
