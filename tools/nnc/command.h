// What the subcommands share: how they are registered, and the options that many of them take.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/nnc/exit.h"

namespace CLI {
class App;  // its header takes long to compile: for the files that register something alone
}

namespace nnc::tool {

// Set by the subcommand that the command line names; run after parsing.
using Action = std::function<Exit()>;

// How the model is compiled: --isa, --threads, --no-cache …
struct CompileFlags {
  int threads = 0;  // 0: the cores that this process may use
  std::string isa;  // empty: the best of this machine
  bool no_cache = false;
  void add_to(CLI::App& app);  // and --max-memory
};

// --max-memory, for all that the process holds (runtime/memory_limit.h).
void add_memory_limit(CLI::App& app);

// FILE and --set.
struct ModelFlags {
  std::string file;
  std::vector<std::string> overrides;
  void add_to(CLI::App& app);
};

// One function for each subcommand, in its own file.
void add_check(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_predict(CLI::App& app, Action& action);
void add_show(CLI::App& app, Action& action);
void add_emit(CLI::App& app, Action& action);
void add_dump(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_schema(CLI::App& app, Action& action);
void add_help(CLI::App& app, Action& action);

}  // namespace nnc::tool
