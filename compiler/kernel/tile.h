// The register tile of a contraction, chosen by an analytic cost per shape and target. Nothing
// measured enters, and no tile changes the order of a sum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/kernel/target.h"

namespace nnc::kernel {

// Columns in panels of vectors, left to right: of two widths at most, the wider ones first.
struct Panels {
  int64_t vectors = 1;  // of all
  int64_t count = 1;

  size_t size() const { return static_cast<size_t>(count); }
  int64_t operator[](size_t i) const {
    return (vectors + count - 1 - static_cast<int64_t>(i)) / count;
  }
  int64_t front() const { return (*this)[0]; }
  int64_t back() const { return vectors / count; }
  bool equal() const { return vectors % count == 0; }
  int64_t wide() const { return equal() ? count : vectors % count; }  // how many have front()
  bool operator==(const Panels&) const = default;
};

struct Tile {
  int64_t rows = 1;  // of the full tile
  int lanes = 1;     // of a vector
  Panels panels;
  bool packed = false;  // B's panel is copied side by side before its tiles run
  int64_t rest = 1;     // rows of the tiles that take what is left over, but single rows
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
bool can_be_shared(const TileShape& shape, const Panels& panels, int lanes);

// Estimated cycles of the whole contraction with this tile.
double tile_cycles(const TileShape& shape, const Tile& tile, const Target& target);

// The candidate of the least cost.
Tile choose_tile(const TileShape& shape, const Target& target);

}  // namespace nnc::kernel
