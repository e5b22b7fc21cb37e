// A contraction as index maps: C[outer, m, n] = Σ_k A[outer, m, k] · B[outer, k, n], every index
// being affine in memory. Matrix products in every transposition and batching come out as this;
// a convolution is one too: its taps are outer k loops with constant strides around the inner run
// over channels, and its output rows are outer loops (see README.md in this folder).
#pragma once

#include <optional>
#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::kernel {

// One loop: how far it runs, and how many elements a step moves in A, B and C.
struct MapDim {
  ir::Dim extent{1, false};
  ir::Dim a{0, false}, b{0, false}, c{0, false};
};

struct ContractionMap {
  std::vector<MapDim> outer;  // loops around the tile: batched products, rows that do not collapse
  MapDim m;                   // rows of the tile
  MapDim n;                   // along vectors: c stride 1, b stride 1 (0 if there is one column)
  std::vector<MapDim> k;      // summed, outermost first; the innermost is the contiguous run
  const ir::Value* a = nullptr;  // buffers
  const ir::Value* b = nullptr;
  int64_t a_offset = 0, b_offset = 0;
};

// Nothing if an operand's elements are not at affine places, or if B's columns are not contiguous
// (the layout pass then writes the operand out first).
std::optional<ContractionMap> map_contraction(const ir::Node& contract);

}  // namespace nnc::kernel
