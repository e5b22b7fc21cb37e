// nnc dump: any stage of the compiler, as text.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>

#include "compiler/ir/graph.h"
#include "compiler/passes/pass.h"
#include "compiler/support/text.h"
#include "runtime/atomic_file.h"
#include "tools/nnc/command.h"
#include "tools/nnc/dot.h"
#include "tools/workbench/data_place.h"
#include "tools/workbench/trained.h"

namespace nnc::tool {

using namespace workbench;

namespace {

const std::vector<std::string> stages = {"spec",  "graph",   "grad", "step",
                                         "fused", "kernels", "llvm", "asm"};

struct Flags {
  ModelChoices model;
  CompileChoices compile;
  std::string stage = "graph";
  std::string entry;
  std::string after;
  int64_t batch = 0;
  bool dot = false;
  bool verify_each = false;
  bool time_passes = false;
};

void print_times(const CompileTimings& timings) {
  for (const PhaseTime& phase : timings.phases) {
    if (!phase.changed) continue;
    fmt::print("{:>9.3f} ms  {}{}\n", phase.milliseconds, phase.name,
               *phase.changed ? "" : "  (unchanged)");
  }
  fmt::print(
      "{:>9.3f} ms  graph\n{:>9.3f} ms  passes\n{:>9.3f} ms  kernels\n{:>9.3f} ms  "
      "machine code{}\n",
      timings.of(Stage::graph), timings.of(Stage::passes), timings.of(Stage::kernels),
      timings.of(Stage::native), timings.from_cache ? " (from the cache)" : "");
}

void check_pass_name(const std::string& name) {
  std::vector<std::string> names;
  for (const auto* list : {&passes::canonical_passes(), &passes::step_passes()}) {
    for (const passes::Pass& pass : *list) names.push_back(pass.name);
  }
  if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
  const auto near = nearest(name, names);
  throw CommandError(
      Exit::usage, fmt::format("--after: no pass is called '{}'", name),
      near ? fmt::format("did you mean '{}'?", *near) : "the passes are " + join(names));
}

// The text form of a graph, read and printed again.
Exit dump_graph(const Flags& flags) {
  const auto graph = ir::parse(runtime::read_text(flags.model.file), flags.model.file);
  ir::verify(*graph);
  fmt::print("{}", flags.dot ? dot_of(*graph) : ir::print(*graph));
  return Exit::done;
}

Exit dump(const Flags& flags) {
  if (std::filesystem::path(flags.model.file).extension() == ".nnir") return dump_graph(flags);
  check_pass_name(flags.after);
  const Model model = read_model(flags.model.file, flags.model.overrides);
  CompileOptions options = compile_options(flags.compile);
  options.batch = flags.batch;
  options.stop_after = flags.after;
  options.verify_each = flags.verify_each;
  std::vector<runtime::FieldInfo> fields;
  reading_data(model, [&] { fields = probe_fields(model); });
  const auto compiled = compile_model(model, fields, options, false);
  const std::string text = compiled->dump(flags.stage, flags.entry);
  if (flags.time_passes) {
    if (flags.after.empty() && abi::trains(compiled->program()))
      compiled->entry(abi::main_entry(compiled->program()));
    print_times(compiled->timings());
    return Exit::done;
  }
  if (!flags.dot) {
    fmt::print("{}", text);
    return Exit::done;
  }
  fmt::print("{}", dot_of(*ir::parse(text, flags.stage)));
  return Exit::done;
}

}  // namespace

void add_dump(CLI::App& app, Action& action) {
  CLI::App* sub =
      app.add_subcommand("dump", "print a stage of the compiler (also reads a graph: FILE.nnir)");
  auto flags = std::make_shared<Flags>();
  add_model_options(*sub, flags->model);
  sub->add_option("--stage", flags->stage, join(stages, "or"))
      ->check(CLI::IsMember(stages))
      ->capture_default_str();
  sub->add_option("--entry", flags->entry, "step, evaluate or predict (default: step)");
  sub->add_option("--after", flags->after, "stop after this pass");
  sub->add_option("--batch", flags->batch, "rows of a step")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 30));
  sub->add_flag("--dot", flags->dot, "a picture in the language of Graphviz (stages of graphs)");
  sub->add_flag("--verify-each", flags->verify_each, "verify the graph around every pass");
  sub->add_flag("--time-passes", flags->time_passes, "what each pass took, instead of the stage");
  add_compile_options(*sub, flags->compile);
  sub->callback([&action, flags] { action = [flags] { return dump(*flags); }; });
}

}  // namespace nnc::tool
