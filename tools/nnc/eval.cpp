// nnc eval: loss and metrics of a run on one split.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

#include "compiler/assemble/forward.h"
#include "compiler/ir/type.h"
#include "compiler/language/overrides.h"
#include "runtime/data/error.h"
#include "runtime/data/load.h"
#include "runtime/inference.h"
#include "runtime/run_folder.h"
#include "runtime/state.h"
#include "tools/nnc/command.h"
#include "tools/nnc/progress.h"
#include "tools/nnc/report.h"
#include "tools/nnc/terminal.h"
#include "tools/nnc/width.h"
#include "tools/workbench/bad_numbers.h"
#include "tools/workbench/data_place.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/run.h"
#include "tools/workbench/splits.h"
#include "tools/workbench/train_options.h"
#include "tools/workbench/trained.h"

namespace nnc::tool {

using namespace workbench;

namespace {

struct Flags {
  std::string run;
  std::string split;
  std::vector<std::string> data;
  std::vector<std::string> overrides;
  CompileChoices compile;
  bool json = false;
};

const runtime::Split& split_of(const runtime::Dataset& data, const std::string& name) {
  return name == "train" ? data.train : name == "valid" ? data.valid : data.test;
}

// Other rows have to look as those of the training did.
void check_fields(const runtime::Split& rows, const std::vector<runtime::FieldInfo>& trained) {
  for (const runtime::FieldInfo& field : trained) {
    const runtime::Column* column = rows.table ? rows.table->find(field.name) : nullptr;
    if (column == nullptr) continue;
    const std::string& file = runtime::file_of(*rows.table, *column);
    const std::string name = fmt::format("field '{}'", field.name);
    if (column->row_shape != field.row_shape) {
      throw runtime::DataError(file, name,
                               "its rows have another shape than the run was trained on",
                               shape_text(field.row_shape), shape_text(column->row_shape));
    }
    if (column->dtype != field.dtype) {
      throw runtime::DataError(file, name,
                               "it is stored in another type than the run was trained on",
                               ir::name_of(field.dtype), ir::name_of(column->dtype));
    }
  }
}

bool has_split(const runtime::DataSpec& data, const std::string& name) {
  if (name == "train") return data.train.has_value();
  if (name == "valid") return data.valid || data.valid_fraction;
  return data.test || data.test_fraction;
}

// The split asked for; without a wish test, else valid, else train.
std::string choose_split(const Flags& flags, const runtime::DataSpec& data) {
  if (flags.split.empty()) {
    for (const char* name : {"test", "valid", "train"}) {
      if (has_split(data, name)) return name;
    }
    throw CommandError(Exit::usage, "the model file names no data",
                       "--data test='{csv: {...}}' names some");
  }
  if (has_split(data, flags.split)) return flags.split;
  throw CommandError(Exit::usage, fmt::format("the model has no {} rows", flags.split),
                     fmt::format("--data {}='{{csv: {{...}}}}' names some", flags.split));
}

nlohmann::ordered_json to_json(const std::string& split, const runtime::Metrics& metrics) {
  nlohmann::ordered_json all = runtime::to_json(metrics);
  nlohmann::ordered_json json = {{"split", split}, {"rows", metrics.rows}, {"loss", all["loss"]}};
  nlohmann::ordered_json others = nlohmann::ordered_json::object();
  nlohmann::ordered_json terms = nlohmann::ordered_json::object();
  for (const auto& [name, value] : all.items()) {
    if (name.rfind("loss.", 0) == 0) {
      terms[name.substr(5)] = value;
    } else if (name != "loss" && name != "rows") {
      others[name] = value;
    }
  }
  others.update(runtime::details_json(metrics));
  json["metrics"] = others;
  if (terms.size() > 1) json["terms"] = terms;
  return json;
}

std::vector<std::string> words_of(const Trained& trained, size_t classes) {
  const auto words = class_words(trained, static_cast<int64_t>(classes));
  if (words.size() == classes) return words;
  std::vector<std::string> numbers;
  for (size_t i = 0; i < classes; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

void print_tables(const Trained& trained, const runtime::Metrics& metrics) {
  for (const auto& [name, counts] : metrics.tables) {
    const auto words = words_of(trained, counts.size());
    std::vector<std::string> headings = {"true \\ predicted"};
    headings.insert(headings.end(), words.begin(), words.end());
    Table table(headings);
    for (size_t row = 0; row < counts.size(); ++row) {
      std::vector<std::string> cells = {words[row]};
      for (int64_t count : counts[row]) cells.push_back(with_commas(count));
      table.add(cells);
    }
    fmt::print("\n{}:\n{}", name, table.text());
  }
}

// One line for each class, one column for each metric that has a value for every class.
void print_classes(const Trained& trained, const runtime::Metrics& metrics) {
  if (metrics.per_class.empty()) return;
  size_t classes = 0;
  std::vector<std::string> headings = {"class"};
  for (const auto& [name, values] : metrics.per_class) {
    headings.push_back(name);
    classes = std::max(classes, values.size());
  }
  Table table(headings);
  const auto words = words_of(trained, classes);
  for (size_t c = 0; c < classes; ++c) {
    std::vector<std::string> cells = {words[c]};
    for (const auto& [name, values] : metrics.per_class) {
      cells.push_back(c < values.size() && std::isfinite(values[c]) ? loss_text(values[c]) : "-");
    }
    table.add(cells);
  }
  fmt::print("\n{}", table.text());
}

void print_curves(const runtime::Metrics& metrics) {
  for (const auto& [name, curves] : metrics.curves) {
    size_t points = 0;
    for (const runtime::RocCurve& curve : curves) points += curve.threshold.size();
    fmt::print("\n{}: {} points; --json prints them\n", name,
               with_commas(static_cast<int64_t>(points)));
  }
}

// A loss or a metric that does not fit the model, with its place.
void explain_no_evaluation(const Trained& trained) {
  Diagnostics problems;
  assemble::build_forward(trained.model.description, for_compiler(trained.fields),
                          assemble::Mode::eval, problems);
  print_diagnostics(problems);
  if (problems.has_errors()) throw Ended{Exit::usage};
}

// Whether all rows are other ones.
bool names_train(const Flags& flags) {
  return std::any_of(flags.data.begin(), flags.data.end(),
                     [](const std::string& text) { return text.rfind("train=", 0) == 0; });
}

Exit evaluate(const Flags& flags) {
  std::vector<std::string> overrides = flags.overrides;
  for (const std::string& text : flags.data) overrides.push_back(language::data_override(text));
  const Trained trained = open_trained(flags.run, overrides);
  const std::string split = choose_split(flags, trained.model.data);
  CompileOptions options = compile_options(flags.compile);
  options.training = false;
  const auto compiled = compile_model(trained.model, trained.fields, options);
  if (!compiled->has_entry("evaluate")) {
    explain_no_evaluation(trained);
    throw CommandError(Exit::usage, "the model has neither loss nor metrics",
                       "`nnc predict` gives its outputs");
  }
  runtime::Buffer state = trained_state(trained, *compiled);
  runtime::Dataset data;
  const auto steps = runtime::fitted_steps(compiled->program(), state);
  reading_data(trained.model, [&] {
    data = runtime::load(trained.model.data,
                         {split == "train", split == "valid", split == "test", &steps});
    check_fields(split_of(data, split), trained.fields);
  });
  if (!names_train(flags)) check_same_rows(trained, data, split);
  const int threads = threads_of(flags.compile);
  runtime::ThreadPool pool(threads);
  check_started(pool, threads);
  runtime::ScalarOptions scalars;
  if (trained.model.description.train) {
    scalars.seed = train_options(trained.model.description).seed;
  }
  const abi::EntryDesc* prelude =
      compiled->has_entry("prelude") ? &compiled->entry("prelude") : nullptr;
  const runtime::Metrics metrics =
      runtime::evaluate(compiled->program(), compiled->entry("evaluate"), prelude,
                        split_of(data, split), state, scalars, pool);
  check_metrics(split, metrics, compiled->entry("evaluate"), split_of(data, split));
  if (flags.json) {
    print_json(to_json(split, metrics));
    return Exit::done;
  }
  fmt::print("{}", fitted(fmt::format("{}  {}   ({} rows)\n", split, metrics_text(metrics),
                                      with_commas(metrics.rows))));
  print_classes(trained, metrics);
  print_tables(trained, metrics);
  print_curves(metrics);
  return Exit::done;
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("eval", "loss and metrics of a run on its test rows");
  auto flags = std::make_shared<Flags>();
  sub->add_option("RUN", flags->run, "run folder")->required();
  sub->add_option("--split", flags->split, "train, valid or test (default: test, if there is one)")
      ->check(CLI::IsMember({"train", "valid", "test"}));
  sub->add_option("--data", flags->data, "other rows: --data 'test={csv: {file: new.csv, ...}}'")
      ->allow_extra_args(false);
  sub->add_option("--set", flags->overrides, "change a value of the model file")
      ->option_text("PATH=VALUE, as often as wanted")
      ->allow_extra_args(false);
  add_compile_options(*sub, flags->compile);
  sub->add_flag("--json", flags->json, "one JSON object on standard output");
  sub->callback([&action, flags] { action = [flags] { return evaluate(*flags); }; });
}

}  // namespace nnc::tool
