// nnc check: is a model file right, and what will it cost?
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "compiler/language/parse.h"
#include "compiler/layers/catalogue.h"
#include "compiler/support/text.h"
#include "runtime/data/error.h"
#include "runtime/data/load.h"
#include "runtime/data/probe.h"
#include "runtime/memory_limit.h"
#include "runtime/shape.h"
#include "runtime/threads.h"
#include "tools/nnc/command.h"
#include "tools/nnc/report.h"
#include "tools/nnc/terminal.h"
#include "tools/nnc/width.h"
#include "tools/workbench/data_place.h"
#include "tools/workbench/data_spec.h"
#include "tools/workbench/generate.h"
#include "tools/workbench/initial.h"
#include "tools/workbench/job.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/run.h"
#include "tools/workbench/stored_fields.h"

namespace nnc::tool {

using namespace workbench;

namespace {

using nlohmann::ordered_json;

struct Flags {
  ModelChoices model;
  bool strict = false;
  bool no_data = false;
  bool json = false;
};

// What is known of the data: its fields, and the rows of each split where headers tell.
struct Data {
  std::vector<runtime::FieldInfo> fields;
  std::vector<std::pair<std::string, int64_t>> rows;
  bool complete = true;  // false: with --no-data the file does not say every shape
  std::string unread;    // what only training will find out
};

struct Result {
  Diagnostics diagnostics;
  std::optional<language::Description> description;
  std::unique_ptr<CompiledModel> compiled;
  Data data;
  std::string borrowed;  // what weights of other runs the model begins with, as a line
  bool data_failed = false;
};

bool stands_in_file(const language::Description& description, const std::string& name) {
  const language::Split* split = description.data->split(name);
  return split && (split->source ? split->source->kind == "inline" : split->fraction.has_value());
}

// Files of which headers were read, but no rows; empty if there are none.
std::string unread_text(const runtime::DataSpec& data) {
  const std::vector<std::string> files = data_files(data);
  if (files.empty()) return "";
  std::vector<std::string> names;
  for (const std::string& file : files) {
    names.push_back(std::filesystem::path(file).filename().string());
  }
  constexpr size_t shown = 3;
  const std::string what =
      names.size() <= shown ? join(names) : fmt::format("{} files", names.size());
  return fmt::format("the rows of {}: their values are checked when they are used", what);
}

Data look_at_data(const language::Description& description, bool no_data) {
  Data result;
  if (!description.data) return result;
  if (no_data) {
    const auto fields = stored_fields(description);
    result.complete = fields.has_value();
    if (fields) result.fields = *fields;
    result.unread = "all data files (--no-data)";
    return result;
  }
  const runtime::DataSpec data = data_spec(description);
  const runtime::ProbeResult probe = runtime::probe(data);
  // The rows that the file itself shows are looked at, too.
  if (stands_in_file(description, "train"))
    runtime::load(
        data, {true, stands_in_file(description, "valid"), stands_in_file(description, "test")});
  result.unread = unread_text(data);
  result.fields = probe.fields;
  for (const language::Split& split : description.data->splits)
    if (split.where) check_filter(*split.where, result.fields);
  result.rows = {
      {"train", probe.train_rows}, {"valid", probe.valid_rows}, {"test", probe.test_rows}};
  return result;
}

// The rows of a step where the file says `batch: all`, if headers tell; else 0.
int64_t all_rows(const language::Description& description, const Data& data) {
  if (!description.train || !description.train->batch.all) return 0;
  for (const auto& [split, rows] : data.rows)
    if (split == "train") return std::max<int64_t>(rows, 0);
  return 0;
}

// What else is wrong, if the file alone says what the fields are.
void look_at_model(Result& result) {
  const auto fields = stored_fields(*result.description);
  CompileOptions options;
  options.max_memory = runtime::memory_limit();
  if (fields) compile(*result.description, for_compiler(*fields), options, result.diagnostics);
}

// Whose weights the model begins with; other runs are opened for it.
void look_at_other_runs(Result& result) {
  if (!result.compiled) return;
  try {
    std::vector<std::string> lines;
    for (const Borrowed& borrowed :
         borrowed_states(*result.description, result.compiled->program())) {
      const std::string layer = borrowed.state.substr(0, borrowed.state.rfind('.'));
      const std::string line = layer + " of " + borrowed.folder;
      if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
    }
    if (!lines.empty()) result.borrowed = fmt::format("  begins   {}\n", join(lines));
  } catch (const UserError& error) {
    const Diagnostic& d = error.diagnostic;
    result.diagnostics.error(d.span, d.message, d.expected, d.got);
    result.compiled.reset();
  }
}

// What only the plan tells: whether it fits into memory.
void plan(Result& result) {
  if (!result.compiled) return;
  const std::string entry = abi::main_entry(result.compiled->program());
  if (!result.compiled->has_entry(entry)) return;
  try {
    result.compiled->planned_entry(entry);
  } catch (const UserError& error) {
    const Diagnostic& d = error.diagnostic;
    result.diagnostics.error(d.span, d.message, d.expected, d.got);
    result.compiled.reset();
  }
}

Result look_at(const Flags& flags) {
  check_no_run(flags.model.file);
  Result result;
  result.description = language::parse(flags.model.file, {flags.model.overrides},
                                       layers::catalogue(), result.diagnostics);
  if (!result.description || result.diagnostics.has_errors()) return result;
  try {
    result.data = look_at_data(*result.description, flags.no_data);
  } catch (const runtime::DataError& error) {
    result.data_failed = true;
    const Diagnostic d = at_its_place(error, *result.description->data);
    result.diagnostics.error(d.span, d.message, d.expected, d.got);
    look_at_model(result);
    return result;
  } catch (const UserError& error) {
    const Diagnostic& d = error.diagnostic;
    result.diagnostics.error(d.span, d.message, d.expected, d.got);
    return result;
  }
  if (!result.data.complete) return result;
  CompileOptions options;
  options.batch = all_rows(*result.description, result.data);
  options.max_memory = runtime::memory_limit();
  result.compiled =
      compile(*result.description, for_compiler(result.data.fields), options, result.diagnostics);
  look_at_other_runs(result);
  plan(result);
  return result;
}

ScratchBytes scratch_bytes(CompiledModel& compiled) {
  return compiled.scratch(abi::main_entry(compiled.program()), runtime::available_cores());
}

// State (weights, moments, learned constants) and the scratch of the main entry.
size_t memory_bytes(CompiledModel& compiled) {
  return compiled.program().state_bytes + scratch_bytes(compiled).arena;
}

double step_flops(CompiledModel& compiled) {
  return compiled.flops(abi::main_entry(compiled.program()));
}

ordered_json to_json(const Diagnostic& diagnostic) {
  return {{"severity", diagnostic.severity == Severity::error ? "error" : "warning"},
          {"file", diagnostic.span.path()},
          {"line", diagnostic.span.line},
          {"column", diagnostic.span.column},
          {"message", diagnostic.message},
          {"expected", diagnostic.expected},
          {"got", diagnostic.got}};
}

void print_json(const Result& result, bool ok) {
  ordered_json list = ordered_json::array();
  for (const Diagnostic& diagnostic : result.diagnostics.sorted()) {
    list.push_back(to_json(diagnostic));
  }
  ordered_json json = {{"ok", ok}, {"diagnostics", list}};
  if (result.compiled) {
    json["parameters"] = result.compiled->program().parameters;
    json["flops"] = step_flops(*result.compiled);
    const ScratchBytes scratch = scratch_bytes(*result.compiled);
    json["memory_bytes"] = memory_bytes(*result.compiled);
    json["arena_bytes"] = scratch.arena;
    json["live_bytes"] = scratch.live;
  } else {
    json["parameters"] = nullptr;
    json["flops"] = nullptr;
    json["memory_bytes"] = nullptr;
    json["arena_bytes"] = nullptr;
    json["live_bytes"] = nullptr;
  }
  tool::print_json(json);
}

// "128", or "128 + 64 kept" where not all of them are trained.
std::string numbers_of(int64_t parameters, int64_t statistics) {
  if (parameters == 0 && statistics == 0) return "-";
  const std::string text = with_commas(parameters);
  return statistics == 0 ? text : fmt::format("{} + {} kept", text, with_commas(statistics));
}

void print_layers(const CompiledModel& compiled, const Data& data,
                  const language::Description& description) {
  Table table({"layer", "kind", "output", "parameters", "flops per row"});
  for (const Name& input : description.model.inputs) {
    for (const runtime::FieldInfo& field : data.fields) {
      if (field.name == input.text) {
        table.add({field.name, "input", shape_text(field.row_shape), "", ""});
      }
    }
  }
  int64_t parameters = 0, statistics = 0;
  double flops = 0;
  for (const language::Parameter& parameter : description.model.params) {
    const int64_t count = elements_of(parameter.shape);
    table.add(
        {parameter.name.text, "param", shape_text(parameter.shape), numbers_of(count, 0), "-"});
    parameters += count;
  }
  for (const assemble::LayerSummary& layer : compiled.forward().layers) {
    table.add({layer.name, layer.frozen ? layer.kind + " (frozen)" : layer.kind,
               shape_text(layer.output_shape), numbers_of(layer.parameters, layer.statistics),
               layer.flops > 0 ? with_commas(static_cast<int64_t>(layer.flops)) : "-"});
    parameters += layer.parameters;
    statistics += layer.statistics;
    flops += layer.flops;
  }
  table.rule();
  table.add(
      {"", "", "", numbers_of(parameters, statistics), with_commas(static_cast<int64_t>(flops))});
  fmt::print("{}", table.text());
}

// "  classes  kind: setosa, versicolor, virginica".
std::string classes_text(const runtime::FieldInfo& field) {
  constexpr size_t shown = 12;
  const auto& words = field.vocabulary;
  std::string text = fmt::format("  classes  {}: ", field.name);
  if (words.empty()) return text + fmt::format("0 to {}\n", field.classes - 1);
  for (size_t i = 0; i < std::min(words.size(), shown); ++i) text += (i > 0 ? ", " : "") + words[i];
  if (words.size() > shown) text += fmt::format(" and {} more", words.size() - shown);
  return without_controls(text) + "\n";
}

void print_summary(const Result& result) {
  const language::Description& description = *result.description;
  CompiledModel& compiled = *result.compiled;
  fmt::print("{}\n", styled(description.name, Style::bold));
  print_layers(compiled, result.data, description);
  std::string rows;
  for (const auto& [name, count] : result.data.rows) {
    if (count == 0) continue;
    rows += (rows.empty() ? "" : ", ") + (count < 0 ? "?" : with_commas(count)) + " " + name;
  }
  fmt::print("\n");
  if (!rows.empty()) fmt::print("{}", fitted(fmt::format("  rows     {}\n", rows)));
  for (const runtime::FieldInfo& field : result.data.fields) {
    if (field.classes > 0) fmt::print("{}", fitted(classes_text(field)));
  }
  if (!result.borrowed.empty()) fmt::print("{}", fitted(result.borrowed));
  if (!result.data.unread.empty()) {
    fmt::print("{}", fitted(fmt::format("  unread   {}\n", result.data.unread)));
  }
  if (abi::trains(compiled.program())) {
    const int64_t batch = compiled.forward().graph->batch;
    fmt::print("  step     {} rows, {} flops\n", batch, count_text(step_flops(compiled)));
  }
  fmt::print("{}", fitted(fmt::format("  memory   {} for weights, optimizer and scratch\n",
                                      bytes_text(static_cast<double>(memory_bytes(compiled))))));
  const ScratchBytes scratch = scratch_bytes(compiled);
  const auto arena = static_cast<double>(scratch.arena), live = static_cast<double>(scratch.live);
  fmt::print("{}", fitted(fmt::format("  scratch  {}, {:.2f} times its largest live set of {}\n",
                                      bytes_text(arena), arena / live, bytes_text(live))));
}

Exit check(const Flags& flags) {
  const Result result = look_at(flags);
  bool ok = !result.diagnostics.has_errors();
  if (flags.strict) ok = ok && result.diagnostics.sorted().empty();
  const Exit exit = ok ? Exit::done : result.data_failed ? Exit::failed : Exit::usage;
  if (flags.json) {
    print_json(result, ok);
    return exit;
  }
  print_diagnostics(result.diagnostics);
  if (!result.diagnostics.has_errors()) {
    if (result.compiled) {
      print_summary(result);
    } else {
      fmt::print("{}: the file is right as far as it can be seen without its data\n",
                 printable(flags.model.file));
    }
  }
  return exit;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("check", "is a model file right? layers, shapes, cost");
  auto flags = std::make_shared<Flags>();
  add_model_options(*sub, flags->model);
  add_memory_limit(*sub);
  sub->add_flag("--strict", flags->strict, "warnings are errors");
  sub->add_flag("--no-data", flags->no_data, "look at no data file");
  sub->add_flag("--json", flags->json, "one JSON object on standard output");
  sub->callback([&action, flags] { action = [flags] { return check(*flags); }; });
}

}  // namespace nnc::tool
