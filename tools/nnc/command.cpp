#include "tools/nnc/command.h"

#include <CLI/CLI.hpp>

#include "runtime/memory_limit.h"
#include "tools/workbench/job.h"

namespace nnc::tool {

void add_compile_options(CLI::App& app, workbench::CompileChoices& choices) {
  app.add_option("--threads", choices.threads, "threads (default: the cores this process may use)")
      ->option_text("N")
      ->check(CLI::Range(1, 1024));
  app.add_option("--isa", choices.isa,
                 "instruction set: sse2, avx2 or avx512 (default: the best here)");
  app.add_flag("--no-cache", choices.no_cache, "compile everything anew, keep nothing");
  add_memory_limit(app);
}

void add_memory_limit(CLI::App& app) {
  app.add_option_function<uint64_t>(
         "--max-memory", runtime::set_memory_limit,
         "most memory for rows, weights, optimizer and scratch, such as 8GB (default: the "
         "machine's)")
      ->option_text("SIZE")
      ->transform(CLI::AsSizeValue(true));
}

void add_model_options(CLI::App& app, workbench::ModelChoices& choices) {
  app.add_option("FILE", choices.file, "model file")->required();
  app.add_option("--set", choices.overrides, "change a value: --set train.optimizer.adam.rate=3e-4")
      ->option_text("PATH=VALUE, as often as wanted")
      ->allow_extra_args(false);
}

}  // namespace nnc::tool
