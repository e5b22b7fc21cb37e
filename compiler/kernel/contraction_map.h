// A contraction as index maps: C[outer, m, n] = Σ_k A[outer, m, k] · B[outer, k, n], every index
// being affine in memory. Matrix products in every transposition and batching come out as this;
// a convolution is one too: its taps are outer k loops with constant strides around the inner run
// over channels, and its output rows are outer loops (see README.md in this folder).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::kernel {

// One loop: how far it runs, and how many elements a step moves in A, B and C.
struct MapDim {
  ir::Dim extent{1, false};
  ir::Dim a{0, false}, b{0, false}, c{0, false};
  int64_t axis = -1;  // of the second operand, where it is one
};

// A picture with a border of zeros: step i of loop k[tap] is in the picture only
// if first <= scale·(index of outer[pixel]) + step·i < first + extent.
struct Border {
  size_t tap = 0;
  std::optional<size_t> pixel;
  int64_t scale = 0, step = 1, first = 0, extent = 0;
};

// Which way vectors run. `rows`: along the columns n, contiguous in B and C. `lanes`: so, but n are
// the batch rows, and m is one dimension of the result. `dot`: along the innermost k, batch rows
// contiguous in A and B; all loops over the result are `outer` and n, each a dimension of it.
enum class ContractionForm : uint8_t { rows, lanes, dot };

struct ContractionMap {
  ContractionForm form = ContractionForm::rows;
  std::vector<MapDim> outer;  // loops around the tile: batched products, rows that do not collapse
  MapDim m;                   // rows of the tile
  MapDim n;                   // along vectors: c stride 1, b stride 1 (0 if there is one column)
  std::vector<MapDim> k;      // summed, outermost first; the innermost is the contiguous run
  // dot: the innermost k in so many parts of `part_length` steps each, the last one of the rest; a
  // sum for each, the first dimension of the result.
  int64_t parts = 1, part_length = 0;
  // rows: B's columns lie in panels (views.h), so many elements apart; 0: in rows, side by side.
  int64_t panel_stride = 0;
  // rows: B lies with the summed elements side by side instead of its columns, and tiles read a
  // copy of its panels that turns them (Tile::packed).
  bool turned = false;
  // turned: so many summed elements lie side by side in B, and the next ones so far from these; 0:
  // all of them do.
  int64_t turned_run = 0, turned_stride = 0;
  const ir::Value* a = nullptr;  // buffers
  const ir::Value* b = nullptr;
  int64_t a_offset = 0, b_offset = 0;
  const ir::Node* padding = nullptr;  // lanes: the `pad` above B that is done by skipping taps …
  std::vector<Border> borders;
  ir::Dim b_shift{0, false};  // … and how far the corner of its border lies from that of B
};

// Nothing if an operand's elements are not at affine places, or if B's columns are not contiguous
// (the layout pass then writes the operand out first).
std::optional<ContractionMap> map_contraction(const ir::Node& contract);

// Whether the node writes zeros around its operand.
bool is_zero_padding(const ir::Node* node);

// Elements that are added up for one element of the result.
int64_t summed(const ContractionMap& map, int64_t batch);

}  // namespace nnc::kernel
