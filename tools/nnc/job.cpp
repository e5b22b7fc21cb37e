#include "tools/nnc/job.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "compiler/language/parse.h"
#include "compiler/layers/catalogue.h"
#include "runtime/data/probe.h"
#include "runtime/memory_limit.h"
#include "tools/nnc/data_spec.h"
#include "tools/nnc/run.h"
#include "tools/nnc/terminal.h"

namespace nnc::tool {

void CompileFlags::add_to(CLI::App& app) {
  app.add_option("--threads", threads, "threads (default: the cores this process may use)")
      ->option_text("N")
      ->check(CLI::Range(1, 1024));
  app.add_option("--isa", isa, "instruction set: sse2, avx2 or avx512 (default: the best here)");
  app.add_flag("--no-cache", no_cache, "compile everything anew, keep nothing");
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

void ModelFlags::add_to(CLI::App& app) {
  app.add_option("FILE", file, "model file")->required();
  app.add_option("--set", overrides, "change a value: --set train.optimizer.adam.rate=3e-4")
      ->option_text("PATH=VALUE, as often as wanted")
      ->allow_extra_args(false);
}

void print_diagnostics(const Diagnostics& diagnostics) {
  int errors = 0;
  for (const Diagnostic& diagnostic : diagnostics.sorted()) {
    const bool error = diagnostic.severity == Severity::error;
    std::string text = render(diagnostic);
    const std::string word = error ? "error:" : "warning:";
    const size_t at = text.find(word);
    text.replace(at, word.size(), styled_error(word, error ? Style::red : Style::yellow));
    print_error("{}", text);
    errors += error ? 1 : 0;
  }
  if (errors > 1) print_error("{} errors\n", errors);
}

namespace {

// Turns what was parsed into a model, or ends the command.
Model finish(std::optional<language::Description> description, const Diagnostics& diagnostics) {
  print_diagnostics(diagnostics);
  if (!description || diagnostics.has_errors()) throw Ended{Exit::usage};
  Model model;
  model.description = std::move(*description);
  model.data = data_spec(model.description);
  return model;
}

}  // namespace

Model read_model(const std::string& file, const std::vector<std::string>& overrides) {
  check_no_run(file);
  Diagnostics diagnostics;
  auto description = language::parse(file, {overrides}, layers::catalogue(), diagnostics);
  return finish(std::move(description), diagnostics);
}

Model read_model_text(std::string text, const std::string& path,
                      const std::vector<std::string>& overrides) {
  Diagnostics diagnostics;
  auto description =
      language::parse_text(std::move(text), path, {overrides}, layers::catalogue(), diagnostics);
  return finish(std::move(description), diagnostics);
}

std::vector<runtime::FieldInfo> probe_fields(const Model& model) {
  if (!model.description.data) return {};
  return runtime::probe(model.data).fields;
}

CompileOptions compile_options(const CompileFlags& flags) {
  CompileOptions options;
  options.cache = !flags.no_cache;
  options.compile_threads = runtime::available_cores();
  options.max_memory = runtime::memory_limit();
  if (flags.isa.empty()) return options;
  kernel::Isa isa;
  if (!kernel::parse_isa(flags.isa, isa)) {
    throw CommandError(Exit::usage,
                       fmt::format("--isa: there is no instruction set '{}'", flags.isa),
                       "one of sse2, avx2, avx512 and neon");
  }
  options.target = kernel::host_target(isa);
  return options;
}

std::unique_ptr<CompiledModel> compile_model(const Model& model,
                                             const std::vector<runtime::FieldInfo>& fields,
                                             const CompileOptions& options, bool to_run) {
  if (to_run && !kernel::host_supports(options.target.isa)) {
    throw CommandError(
        Exit::usage,
        fmt::format("--isa: this machine cannot run {}", kernel::name_of(options.target.isa)),
        "`nnc emit` and `nnc dump` make code for other machines");
  }
  Diagnostics diagnostics;
  auto compiled = compile(model.description, for_compiler(fields), options, diagnostics);
  print_diagnostics(diagnostics);
  if (!compiled || diagnostics.has_errors()) throw Ended{Exit::usage};
  return compiled;
}

int threads_of(const CompileFlags& flags) {
  const int cores = runtime::available_cores();
  if (flags.threads > cores) {
    print_warning(fmt::format("{} threads on {} cores take turns: slower than {}", flags.threads,
                              cores, cores));
  }
  return flags.threads > 0 ? flags.threads : cores;
}

void check_started(const runtime::ThreadPool& pool, int wanted) {
  if (pool.threads() >= wanted) return;
  print_warning(fmt::format(
      "the system starts no more than {} of {} threads (see ulimit -u and -v, and a container's "
      "limit of processes)",
      pool.threads(), wanted));
}

std::string sketch(const Model& model, const CompiledModel& compiled,
                   const std::vector<runtime::FieldInfo>& fields) {
  std::string text;
  for (const runtime::FieldInfo& field : fields) {
    if (field.name != model.description.model.inputs[0].text) continue;
    text = std::to_string(elements_of(field.row_shape));
  }
  for (const assemble::LayerSummary& layer : compiled.forward().layers) {
    if (layer.parameters == 0) continue;
    text +=
        layer.output_shape.empty() ? "-1" : fmt::format("-{}", fmt::join(layer.output_shape, "x"));
  }
  return text.size() <= 60 ? text : "";
}

}  // namespace nnc::tool
