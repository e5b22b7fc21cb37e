// The kernels of a model for every vector level of an emitted header.
#pragma once

#include <memory>
#include <vector>

#include "compiler/codegen/emit.h"
#include "compiler/compile.h"

namespace nnc::tool {

// Kernels and what points into them; keep it as long as the levels are used.
struct EmitLevels {
  std::vector<std::unique_ptr<kernel::Module>> modules;
  std::vector<codegen::EmitLevel> levels;
  int64_t block_rows = 1;      // of predict_batch
  abi::EntryDesc description;  // of the entry: inputs, outputs, scalars
};

// Lowers an entry for one row and for blocks of rows at every level. Blocks are as large as 64 KB
// of scratch allow.
EmitLevels lower_levels(CompiledModel& model, const std::string& entry);

}  // namespace nnc::tool
