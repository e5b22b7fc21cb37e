// The register tile of a contraction, chosen by an analytic cost per shape and target. Nothing
// measured enters, and no tile changes the order of a sum.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/kernel/target.h"

namespace nnc::kernel {

struct Tile {
  int64_t rows = 1;             // of the full tile; what is left over runs row by row
  int lanes = 1;                // of a vector
  std::vector<int64_t> panels;  // vectors per panel of columns, left to right
};

// `m` rows (per thread), `n` columns, k summed elements; `epilogue` operations on every vector of
// the finished tile, which are written out for each of them: of two tiles that run alike, the one
// with less code compiles sooner.
Tile choose_tile(int64_t m, int64_t n, int64_t k, int64_t epilogue, int element_bytes,
                 const Target& target);

// Estimated cycles of all tiles; what choose_tile minimises.
double tile_cycles(int64_t m, int64_t k, int64_t rows, const std::vector<int64_t>& panels);

}  // namespace nnc::kernel
