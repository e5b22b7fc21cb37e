#include "tools/workbench/job.h"

#include <fmt/format.h>

#include "compiler/language/parse.h"
#include "compiler/layers/catalogue.h"
#include "runtime/data/probe.h"
#include "runtime/memory_limit.h"
#include "tools/workbench/data_spec.h"
#include "tools/workbench/error.h"
#include "tools/workbench/reporter.h"
#include "tools/workbench/run.h"

namespace nnc::workbench {

namespace {

// Turns what was parsed into a model, or says why it is none.
Model finish(std::optional<language::Description> description, const Diagnostics& diagnostics) {
  reporter().diagnostics(diagnostics);
  if (!description || diagnostics.has_errors()) throw Reported{};
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

CompileOptions compile_options(const CompileChoices& choices) {
  CompileOptions options;
  options.cache = !choices.no_cache;
  options.compile_threads = runtime::available_cores();
  options.max_memory = runtime::memory_limit();
  if (choices.isa.empty()) return options;
  kernel::Isa isa;
  if (!kernel::parse_isa(choices.isa, isa)) {
    throw WorkError(Fault::request,
                    fmt::format("--isa: there is no instruction set '{}'", choices.isa),
                    "one of sse2, avx2, avx512 and neon");
  }
  options.target = kernel::host_target(isa);
  return options;
}

std::unique_ptr<CompiledModel> compile_model(const Model& model,
                                             const std::vector<runtime::FieldInfo>& fields,
                                             const CompileOptions& options, bool to_run) {
  if (to_run && !kernel::host_supports(options.target.isa)) {
    throw WorkError(
        Fault::request,
        fmt::format("--isa: this machine cannot run {}", kernel::name_of(options.target.isa)),
        "`nnc emit` and `nnc dump` make code for other machines");
  }
  Diagnostics diagnostics;
  auto compiled = compile(model.description, for_compiler(fields), options, diagnostics);
  reporter().diagnostics(diagnostics);
  if (!compiled || diagnostics.has_errors()) throw Reported{};
  return compiled;
}

int threads_of(const CompileChoices& choices) {
  const int cores = runtime::available_cores();
  if (choices.threads > cores) {
    reporter().warning(fmt::format("{} threads on {} cores take turns: slower than {}",
                                   choices.threads, cores, cores));
  }
  return choices.threads > 0 ? choices.threads : cores;
}

void check_started(const runtime::ThreadPool& pool, int wanted) {
  if (pool.threads() >= wanted) return;
  reporter().warning(fmt::format(
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

}  // namespace nnc::workbench
