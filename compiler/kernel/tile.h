// The register tile of a contraction, chosen by an analytic cost per shape and target. Nothing
// measured enters, and no tile changes the order of a sum.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/kernel/target.h"

namespace nnc::kernel {

struct Tile {
  int64_t rows = 1;             // of the full tile
  int lanes = 1;                // of a vector
  std::vector<int64_t> panels;  // vectors per panel of columns, left to right
  bool packed = false;          // B's panel is copied side by side before its tiles run
  int64_t rest = 1;             // rows of the tiles that take what is left over, but single rows
};

// What the cost of a tile depends on.
struct TileShape {
  int64_t m = 1, n = 1, k = 1;  // rows (of one thread), columns, summed elements
  int64_t epilogue = 0;         // operations on every vector of the finished tile
  int element_bytes = 4;
  int64_t b_stride = 0;            // elements from one summed element to the next in B; 0: n
  bool a_rows_contiguous = false;  // A lies with its rows side by side (a weight gradient)
  bool packable = false;           // there may be a copy of B's panel
  bool turned = false;             // there has to be one, which turns blocks of 16 columns
  bool equal = false;              // all tiles have to be of one size
  bool in_panels = false;          // B lies in panels (views.h)
  int64_t sharers = 1;             // threads that take equally many panels, all of one width

  bool operator==(const TileShape&) const = default;
};

// All tiles that fit into the registers, none twice.
std::vector<Tile> tile_candidates(const TileShape& shape, const Target& target);

// Whether threads can share these panels equally: full ones, all of one width.
bool can_be_shared(const TileShape& shape, const std::vector<int64_t>& panels, int lanes);

// Estimated cycles of the whole contraction with this tile.
double tile_cycles(const TileShape& shape, const Tile& tile, const Target& target);

// The candidate of the least cost.
Tile choose_tile(const TileShape& shape, const Target& target);

}  // namespace nnc::kernel
