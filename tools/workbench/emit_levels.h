// The kernels of a model for every vector level of an emitted header.
#pragma once

#include <memory>
#include <vector>

#include "compiler/codegen/emit.h"
#include "compiler/compile.h"

namespace nnc::workbench {

// Kernels and what points into them; keep it as long as the levels are used.
struct EmitLevels {
  std::vector<std::unique_ptr<kernel::Module>> modules;
  std::vector<codegen::EmitLevel> levels;
  int64_t block_rows = 1;      // of predict_batch
  int64_t few_rows = 0;        // where vectors run along rows: how many are worth a block
  abi::EntryDesc description;  // of the entry: inputs, outputs, scalars
};

// Lowers an entry for one row and for blocks of rows at every level. Blocks are as large as 64 KB
// of scratch allow; 768 KB where the weights exceed the cache, 1.5 MB where kernels run for blocks
// of rows themselves.
EmitLevels lower_levels(CompiledModel& model, const std::string& entry);

// The entry of an object file, for one row and for a block of rows.
struct ObjectKernels {
  kernel::Module row, block;
  abi::EntryDesc description;
  int64_t block_rows = 1, few_rows = 0;
  size_t arena_bytes = 0;  // of the one that needs more
};

ObjectKernels lower_for_object(CompiledModel& model, const std::string& entry,
                               const kernel::Target& target);

}  // namespace nnc::workbench
