// nnc predict: the outputs of a trained model for rows from files.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>

#include "compiler/support/text.h"
#include "runtime/data/csv_text.h"
#include "tools/nnc/command.h"
#include "tools/nnc/predictions.h"
#include "tools/nnc/terminal.h"
#include "tools/workbench/bad_numbers.h"
#include "tools/workbench/entry_inputs.h"
#include "tools/workbench/input_rows.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/trained.h"

namespace nnc::tool {

using namespace workbench;

namespace {

struct Flags {
  std::string run;
  std::vector<std::string> in;
  std::string out;
  std::string function;  // empty: predict
  std::string id;
  std::string header, separator, decimal, encoding;  // of csv files; empty: as the model's own
  CompileChoices compile;
};

// RUN may stand behind the files: then it was taken for the last of them.
void find_run(Flags& flags) {
  if (!flags.run.empty()) return;
  if (flags.in.size() > 1 && std::filesystem::exists(model_path_in(flags.in.back()))) {
    flags.run = flags.in.back();
    flags.in.pop_back();
    return;
  }
  throw CommandError(Exit::usage, "which run? nnc predict RUN --in FILE --out FILE",
                     "`nnc train FILE` makes one");
}

CsvReading csv_reading(const Flags& flags) {
  CsvReading csv;
  csv.id = flags.id;
  if (!flags.header.empty()) csv.header = flags.header == "yes";
  if (!flags.decimal.empty()) csv.decimal = flags.decimal[0];
  if (!flags.separator.empty()) {
    csv.separator = runtime::separator_named(flags.separator);
    if (!csv.separator)
      throw CommandError(
          Exit::usage,
          fmt::format("--separator: {} cannot stand between cells", in_quotes(flags.separator)),
          "one character such as ';' or '|', or tab or space");
  }
  if (!flags.encoding.empty()) {
    csv.encoding = flags.encoding;
    if (!runtime::knows_encoding(flags.encoding))
      throw CommandError(Exit::usage,
                         fmt::format("--encoding: {} is not known", in_quotes(flags.encoding)),
                         "one that iconv knows, such as utf-8, latin1, windows-1252 or utf-16");
  }
  return csv;
}

// A column's name that no output and no other column has.
std::string free_name(std::string name, const std::vector<TextColumn>& columns,
                      const std::vector<NamedPrediction>& outputs) {
  const auto taken = [&] {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const TextColumn& column) { return column.name == name; }) ||
           std::any_of(outputs.begin(), outputs.end(),
                       [&](const NamedPrediction& output) { return output.values->name == name; });
  };
  while (taken()) name = "predicted_" + name;
  return name;
}

// The field whose classes these words are, unless its rows are given.
std::string field_of(const std::vector<std::string>& words, const Trained& trained,
                     const runtime::Table& given) {
  for (const runtime::FieldInfo& field : trained.fields)
    if (given.find(field.name) == nullptr && field.vocabulary == words) return field.name;
  return "";
}

// What names the rows, if anything does, and for each field whose classes outputs tell the class;
// not where two outputs tell different ones.
std::vector<TextColumn> beside(const Flags& flags, const InputRows& input,
                               const std::vector<NamedPrediction>& outputs,
                               const Trained& trained) {
  std::vector<TextColumn> result;
  if (!input.ids.empty()) result.push_back({flags.id.empty() ? "file" : flags.id, input.ids});
  std::vector<TextColumn> told;
  for (const NamedPrediction& output : outputs) {
    const std::string field =
        output.words.empty() ? "" : field_of(output.words, trained, *input.table);
    if (field.empty()) continue;
    const auto known = std::find_if(told.begin(), told.end(),
                                    [&](const TextColumn& column) { return column.name == field; });
    std::vector<std::string> classes = largest_classes(output, input.table->rows);
    if (known == told.end()) {
      told.push_back({field, std::move(classes)});
    } else if (known->cells != classes) {
      known->cells.clear();
    }
  }
  for (TextColumn& column : told) {
    if (column.cells.size() != static_cast<size_t>(input.table->rows)) continue;
    result.push_back({free_name(column.name, result, outputs), std::move(column.cells)});
  }
  return result;
}

Exit predict(Flags flags) {
  find_run(flags);
  const Trained trained = open_trained(flags.run);
  CompileOptions options = compile_options(flags.compile);
  options.training = false;
  const auto compiled = compile_model(trained.model, trained.fields, options);
  const std::string function = function_called(flags.function, *compiled);
  check_prediction_path(flags.out, outputs_of(*compiled, function).size());
  const InputRows input =
      read_input_rows(flags.in, trained, compiled->planned_entry(function), csv_reading(flags));
  const auto& table = input.table;
  for (const std::string& note : input.notes) print_note(note);
  note_units(trained, *compiled);
  runtime::Buffer state = trained_state(trained, *compiled);
  const int threads = threads_of(flags.compile);
  runtime::ThreadPool pool(threads);
  check_started(pool, threads);
  runtime::run_prelude(compiled->has_entry("prelude") ? &compiled->entry("prelude") : nullptr,
                       state.data(), pool);
  const runtime::Split rows = runtime::all_rows(table);
  const abi::EntryDesc& entry = compiled->entry(function);
  const auto outputs = runtime::predict(entry, rows, state, pool);
  check_predictions(outputs, entry, rows);
  std::vector<NamedPrediction> named;
  for (const runtime::Prediction& output : outputs) {
    named.push_back({&output, output_words(trained, *compiled, function, output.name)});
  }
  write_predictions(flags.out, beside(flags, input, named, trained), named, table->rows);
  if (flags.out != "-") {
    print_error("{} row{} to {}\n", with_commas(table->rows), table->rows == 1 ? "" : "s",
                printable(flags.out));
  }
  return Exit::done;
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("predict", "the outputs of a run for rows from files");
  auto flags = std::make_shared<Flags>();
  sub->add_option("RUN", flags->run, "run folder");
  sub->add_option("-i,--in", flags->in,
                  "rows: csv, npy, npz, idx (gzip or not), pictures or a folder of them, - for "
                  "standard input; several files: rows one after the other; several inputs: --in "
                  "a=x.npy b=y.npy")
      ->option_text("FILE ...")
      ->required();
  sub->add_option("-o,--out", flags->out, "csv, npy or npz; - for csv on standard output")
      ->required();
  sub->add_option("--function", flags->function,
                  "a function of the model instead of its outputs; its inputs are fields, raw, and "
                  "values of the model as they are: --in code=codes.npy")
      ->option_text("NAME");
  sub->add_option("--id", flags->id,
                  "a column of the csv files to copy beside the outputs; pictures are named by "
                  "their files");
  sub->add_option("--header", flags->header,
                  "whether the first line of csv files holds names: yes or no (default: found out)")
      ->check(CLI::IsMember({"yes", "no"}));
  sub->add_option("--separator", flags->separator,
                  "between cells of csv files: one character, tab or space (default: as the "
                  "model's own csv data, or a comma)");
  sub->add_option("--decimal", flags->decimal, "decimal point of numbers in csv files: . or ,")
      ->check(CLI::IsMember({".", ","}));
  sub->add_option("--encoding", flags->encoding, "of csv files: utf-8, latin1, utf-16 …");
  add_compile_options(*sub, flags->compile);
  sub->callback([&action, flags] { action = [flags] { return predict(*flags); }; });
}

}  // namespace nnc::tool
