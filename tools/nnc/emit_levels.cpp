#include "tools/nnc/emit_levels.h"

#include "compiler/kernel/widen_stores.h"

namespace nnc::tool {

namespace {

// Scratch of a block: on the stack where the weights stay in the cache between blocks. Where they
// do not, blocks are larger, because each of them reads all weights.
constexpr size_t stack_scratch = 64 << 10, workspace_scratch = 512 << 10;

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

// The largest block with no more scratch than that.
int64_t choose_block_rows(CompiledModel& model, const std::string& entry,
                          const kernel::Target& target) {
  const bool cached = weight_bytes(model) <= static_cast<size_t>(target.l2_bytes);
  for (int64_t rows : {64, 32, 16, 8, 4, 2}) {
    if (scratch_bytes(model.lower(entry, target, rows).description) <=
        (cached ? stack_scratch : workspace_scratch)) {
      return rows;
    }
  }
  return 1;
}

}  // namespace

ObjectKernels lower_for_object(CompiledModel& model, const std::string& entry,
                               const kernel::Target& target) {
  ObjectKernels result;
  result.block_rows = choose_block_rows(model, entry, target);
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
  result.block_rows = choose_block_rows(model, entry, codegen::target_for(CppLevel::avx512));
  for (CppLevel level : {CppLevel::avx512, CppLevel::avx2, CppLevel::generic, CppLevel::plain}) {
    const kernel::Target target = codegen::target_for(level);
    codegen::EmitLevel emitted;
    emitted.level = level;
    const auto kernels = [&](int64_t rows) {
      LoweredEntry lowered = model.lower(entry, target, rows);
      if (rows == 1) kernel::widen_stores(lowered.module, lowered.core);
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

}  // namespace nnc::tool
