// What the subcommands share: how they are registered, and the options that many of them take.
#pragma once

#include <functional>

#include "tools/nnc/exit.h"

namespace CLI {
class App;  // its header takes long to compile: for the files that register something alone
}

namespace nnc::workbench {
struct CompileChoices;
struct ModelChoices;
}  // namespace nnc::workbench

namespace nnc::tool {

// Set by the subcommand that the command line names; run after parsing.
using Action = std::function<Exit()>;

// How the model is compiled: --isa, --threads, --no-cache, and --max-memory.
void add_compile_options(CLI::App& app, workbench::CompileChoices& choices);

// --max-memory, for all that the process holds (runtime/memory_limit.h).
void add_memory_limit(CLI::App& app);

// FILE and --set.
void add_model_options(CLI::App& app, workbench::ModelChoices& choices);

// One function for each subcommand, in its own file.
void add_check(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_predict(CLI::App& app, Action& action);
void add_generate(CLI::App& app, Action& action);
void add_show(CLI::App& app, Action& action);
void add_emit(CLI::App& app, Action& action);
void add_dump(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_schema(CLI::App& app, Action& action);
void add_help(CLI::App& app, Action& action);

}  // namespace nnc::tool
