#include "tools/nnc/emit_levels.h"

namespace nnc::tool {

namespace {

constexpr size_t stack_scratch = 64 << 10;

// The largest block whose scratch fits on the stack.
int64_t choose_block_rows(CompiledModel& model, const std::string& entry,
                          const kernel::Target& target) {
  for (int64_t rows : {64, 32, 16, 8, 4, 2}) {
    if (model.lower(entry, target, rows).description.arena_bytes <= stack_scratch) return rows;
  }
  return 1;
}

}  // namespace

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
      result.modules.push_back(std::make_unique<kernel::Module>(std::move(lowered.module)));
      result.description = lowered.description;
      return codegen::EmitKernels{result.modules.back().get(), lowered.core,
                                  lowered.description.arena_bytes};
    };
    emitted.row = kernels(1);
    emitted.block = kernels(result.block_rows);
    result.levels.push_back(emitted);
  }
  return result;
}

}  // namespace nnc::tool
