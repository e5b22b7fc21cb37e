#include "compiler/kernel/tile.h"

#include <algorithm>

namespace nnc::kernel {

namespace {

// Two fused multiply-adds and two loads per cycle; tiles of fewer than about 12 sums wait for them:
// what the x86 cores of the last ten years have in common.
constexpr double per_cycle = 2, latency = 6;
// Panels of two widths need their code twice: compile time, and half as warm an instruction cache.
constexpr double second_width = 1.04;
// What a vector of the tile, and an operation on it, count in code, as a share of the run time.
constexpr double code_of_vector = 0.0008, code_of_operation = 0.0001;
constexpr double tile_overhead = 12;  // entering and leaving the loop over k, storing the tile

double step_cycles(int64_t rows, int64_t vectors) {
  const double products = static_cast<double>(rows * vectors) / per_cycle;
  const double loads = static_cast<double>(rows + vectors) / per_cycle;
  return std::max({products, loads, latency});
}

std::vector<int64_t> split_columns(int64_t vectors, int64_t panel_count) {
  std::vector<int64_t> panels;
  for (int64_t i = 0; i < panel_count; ++i)
    panels.push_back((vectors + panel_count - 1 - i) / panel_count);
  return panels;
}

}  // namespace

double tile_cycles(int64_t m, int64_t k, int64_t rows, const std::vector<int64_t>& panels) {
  double total = 0;
  for (int64_t vectors : panels) {
    const double per_k = static_cast<double>(k);
    const double store = 0.5 * static_cast<double>(vectors);
    total += static_cast<double>(m / rows) * (per_k * step_cycles(rows, vectors) + tile_overhead +
                                              store * static_cast<double>(rows));
    total +=
        static_cast<double>(m % rows) * (per_k * step_cycles(1, vectors) + tile_overhead + store);
  }
  return total;
}

Tile choose_tile(int64_t m, int64_t n, int64_t k, int64_t epilogue, int element_bytes,
                 const Target& target) {
  Tile best;
  best.lanes = n == 1 ? 1 : target.lanes(element_bytes);
  const int64_t vectors = (n + best.lanes - 1) / best.lanes;
  double best_cycles = -1;
  for (int64_t width = 1; width <= 12; ++width) {
    if (width > vectors && width > 1) break;
    const int64_t panel_count = (vectors + width - 1) / width;
    const auto panels = split_columns(vectors, panel_count);
    const int64_t widest = panels.front();
    for (int64_t rows = 1; rows <= std::min<int64_t>(m, 28); ++rows) {
      if (rows * widest + widest + 1 > target.registers) break;
      double cycles = tile_cycles(m, k, rows, panels);
      if (panels.front() != panels.back()) cycles *= second_width;
      cycles *= 1 + static_cast<double>(rows * widest) *
                        (code_of_vector + code_of_operation * static_cast<double>(epilogue));
      if (best_cycles < 0 || cycles < best_cycles) {
        best_cycles = cycles;
        best.rows = rows;
        best.panels = panels;
      }
    }
  }
  return best;
}

}  // namespace nnc::kernel
