// Groups that run for one block of rows after the other, so that what they hand on to each other
// is still in the second cache when it is read, and takes the memory of one block only where nobody
// else needs it.
#pragma once

#include <set>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/kernel/hazards.h"

namespace nnc::kernel {

struct RowBlocks {
  size_t first = 0, behind = 0;      // groups, by their place in the order of execution
  int64_t rows = 0;                  // of a block; the last one of a thread may have fewer
  std::set<const ir::Value*> inner;  // values that only these groups read
  bool has(size_t group) const { return first <= group && group < behind; }
};

// By shapes and the target alone. `barriers`: whether threads wait before a group; `striped`:
// whether it runs stripe by stripe in any case.
std::vector<RowBlocks> find_row_blocks(const ir::Graph& graph,
                                       const std::vector<GroupFacts>& groups,
                                       const std::vector<bool>& barriers,
                                       const std::vector<bool>& striped, const Target& target);

}  // namespace nnc::kernel
