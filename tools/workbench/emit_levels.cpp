#include "tools/workbench/emit_levels.h"

#include "compiler/kernel/share_equal.h"
#include "compiler/kernel/widen_stores.h"

namespace nnc::workbench {

namespace {

// Scratch of a block: on the stack where the weights stay in the cache between blocks. Where they
// do not, blocks are larger, because each of them reads all weights, and may have more rows than
// usual. Where kernels run for smaller blocks inside, scratch hardly grows with the rows and may be
// larger too.
constexpr int64_t usual_rows = 64;
constexpr size_t stack_scratch = 64 << 10, workspace_scratch = 768 << 10,
                 blocks_scratch = 1536 << 10;
// A vector of rows takes about as long as so many rows by themselves.
constexpr int64_t rows_of_a_vector = 8;

// Of one thread.
size_t scratch_bytes(const abi::EntryDesc& description) {
  return description.arena_bytes + description.thread_bytes;
}

size_t weight_bytes(const CompiledModel& model) {
  size_t bytes = 0;
  for (const abi::StateDesc& state : model.program().states) {
    if (state.kind == abi::StateKind::parameter) {
      bytes += state.elements() * abi::size_of(state.dtype);
    }
  }
  return bytes;
}

struct Block {
  int64_t rows = 1, few_rows = 0;
};

// The largest block with no more scratch than that.
Block choose_block(CompiledModel& model, const std::string& entry, const kernel::Target& target) {
  const bool cached = weight_bytes(model) <= static_cast<size_t>(target.l2_bytes);
  for (int64_t rows : {128, 64, 32, 16, 8, 4, 2}) {
    if (cached && rows > usual_rows) continue;
    const LoweredEntry lowered = model.lower(entry, target, rows);
    if (lowered.in_blocks && rows > usual_rows) continue;
    const size_t limit = lowered.in_blocks ? blocks_scratch
                         : cached          ? stack_scratch
                                           : workspace_scratch;
    if (scratch_bytes(lowered.description) <= limit)
      return {rows, lowered.batch_last ? rows_of_a_vector : 0};
  }
  return {};
}

}  // namespace

ObjectKernels lower_for_object(CompiledModel& model, const std::string& entry,
                               const kernel::Target& target) {
  ObjectKernels result;
  const Block block_size = choose_block(model, entry, target);
  result.block_rows = block_size.rows;
  result.few_rows = block_size.few_rows;
  LoweredEntry row = model.lower(entry, target, 1);
  kernel::widen_stores(row.module, row.core);
  LoweredEntry block = model.lower(entry, target, result.block_rows);
  result.arena_bytes = std::max(scratch_bytes(row.description), scratch_bytes(block.description));
  result.description = block.description;
  result.row = std::move(row.module);
  result.block = std::move(block.module);
  return result;
}

EmitLevels lower_levels(CompiledModel& model, const std::string& entry) {
  using codegen::CppLevel;
  EmitLevels result;
  const Block block = choose_block(model, entry, codegen::target_for(CppLevel::avx512));
  result.block_rows = block.rows;
  result.few_rows = block.few_rows;
  for (CppLevel level : {CppLevel::avx512, CppLevel::avx2, CppLevel::generic, CppLevel::plain}) {
    const kernel::Target target = codegen::target_for(level);
    codegen::EmitLevel emitted;
    emitted.level = level;
    const auto kernels = [&](int64_t rows) {
      LoweredEntry lowered = model.lower(entry, target, rows);
      if (rows == 1) kernel::widen_stores(lowered.module, lowered.core);
      kernel::share_equal(lowered.module);
      result.modules.push_back(std::make_unique<kernel::Module>(std::move(lowered.module)));
      result.description = lowered.description;
      return codegen::EmitKernels{result.modules.back().get(), lowered.core,
                                  scratch_bytes(lowered.description)};
    };
    emitted.row = kernels(1);
    emitted.block = kernels(result.block_rows);
    result.levels.push_back(emitted);
  }
  return result;
}

}  // namespace nnc::workbench
