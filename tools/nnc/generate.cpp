// nnc generate: new rows out of a function of a trained model, as pictures or as numbers.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "compiler/support/text.h"
#include "runtime/atomic_file.h"
#include "runtime/shape.h"
#include "tools/nnc/command.h"
#include "tools/nnc/predictions.h"
#include "tools/nnc/terminal.h"
#include "tools/workbench/generated.h"
#include "tools/workbench/picture_grid.h"
#include "tools/workbench/readable.h"

namespace nnc::tool {

using namespace workbench;

namespace {

struct Flags {
  std::string run;
  std::string out;
  std::string walk;   // ROW:ROW
  std::string range;  // LOW:HIGH
  int64_t columns = 0;
  GenerateChoices choices;
};

// "3:17"
std::pair<double, double> pair_of(const std::string& text, const std::string& flag) {
  const size_t colon = text.find(':', 1);
  const auto first = parse_number(text.substr(0, colon));
  const auto second =
      colon == std::string::npos ? std::nullopt : parse_number(text.substr(colon + 1));
  if (first && second) return {*first, *second};
  throw CommandError(Exit::usage, fmt::format("{} {}: this is no pair of numbers", flag, text),
                     flag == "--walk" ? "two rows, such as 3:17" : "two numbers, such as -1:1");
}

// The shape of the pictures that the model is about, if it is about pictures.
std::vector<int64_t> field_shape(const Trained& trained) {
  for (const runtime::FieldInfo& field : trained.fields)
    if (field.row_shape.size() == 3 || field.row_shape.size() == 2) return field.row_shape;
  return {};
}

std::vector<double> numbers_of(const runtime::Prediction& output, int64_t rows) {
  std::vector<double> numbers(static_cast<size_t>(rows * elements_of(output.shape)));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = output.number(i);
  return numbers;
}

// The originals that have the pictures' size, or null.
const runtime::Column* originals_of(const Generated& made, const Pictures& pictures) {
  if (!made.originals) return nullptr;
  const int64_t size = pictures.height * pictures.width * pictures.channels;
  for (const runtime::Column& column : made.originals->columns)
    if (column.row_elements() == size) return &column;
  return nullptr;
}

void add_all(Pictures& pictures, const std::vector<double>& numbers,
             std::pair<double, double> range, size_t first, size_t count) {
  const auto size = static_cast<size_t>(pictures.height * pictures.width * pictures.channels);
  for (size_t i = first; i < first + count; ++i)
    add_picture(pictures, numbers.data() + i * size, range);
}

// Lines of originals, and below each the same pictures as restored.
void add_pairs(Pictures& pictures, const runtime::Column& originals,
               const std::vector<double>& restored, std::pair<double, double> range,
               int64_t& columns, int64_t rows) {
  if (columns <= 0) columns = std::min<int64_t>(rows, 10);
  const int64_t size = originals.row_elements();
  std::vector<double> given(static_cast<size_t>(rows * size));
  for (size_t i = 0; i < given.size(); ++i) given[i] = originals.number(static_cast<int64_t>(i));
  const auto given_range = guess_range(given);
  for (int64_t first = 0; first < rows; first += columns) {
    const auto count = static_cast<size_t>(std::min(columns, rows - first));
    add_all(pictures, given, given_range, static_cast<size_t>(first), count);
    // A last line that is not full ends where its originals do.
    const std::vector<double> black(static_cast<size_t>(size), given_range.first);
    for (size_t i = count; i < static_cast<size_t>(columns); ++i)
      add_picture(pictures, black.data(), given_range);
    add_all(pictures, restored, range, static_cast<size_t>(first), count);
    for (size_t i = count; i < static_cast<size_t>(columns); ++i)
      add_picture(pictures, black.data(), given_range);
  }
}

void write_pictures(const Flags& flags, const Trained& trained, const Generated& made) {
  const std::vector<int64_t> wanted = field_shape(trained);
  for (const runtime::Prediction& output : made.outputs) {
    Pictures pictures;
    if (!picture_shape(output.shape, wanted, pictures)) continue;
    const std::vector<double> numbers = numbers_of(output, made.rows);
    const auto range = flags.range.empty() ? guess_range(numbers) : pair_of(flags.range, "--range");
    int64_t columns = flags.columns;
    if (const runtime::Column* originals = originals_of(made, pictures)) {
      add_pairs(pictures, *originals, numbers, range, columns, made.rows);
    } else {
      if (flags.choices.walk && columns <= 0) columns = std::min<int64_t>(made.rows, 16);
      add_all(pictures, numbers, range, 0, static_cast<size_t>(made.rows));
    }
    runtime::write_atomically(flags.out, grid_png(pictures, columns));
    fmt::print("{}  {} pictures of {}×{} by '{}' ({} from {:g} to {:g})\n", flags.out, made.rows,
               pictures.width, pictures.height, made.function, output.name, range.first,
               range.second);
    return;
  }
  throw CommandError(Exit::usage, fmt::format("no output of '{}' is a picture", made.function),
                     "--out FILE.npz or FILE.csv for numbers");
}

Exit run(Flags flags) {
  if (!flags.out.ends_with(".png")) check_prediction_path(flags.out, 2);
  if (!flags.walk.empty()) {
    const auto rows = pair_of(flags.walk, "--walk");
    flags.choices.walk = {static_cast<int64_t>(rows.first), static_cast<int64_t>(rows.second)};
  }
  const Trained trained = open_trained(flags.run);
  const Generated made = generate(trained, flags.choices);
  for (const std::string& note : made.notes) print_note(note);
  if (flags.out.ends_with(".png")) {
    write_pictures(flags, trained, made);
    return Exit::done;
  }
  std::vector<NamedPrediction> named;
  for (const runtime::Prediction& output : made.outputs) named.push_back({&output, {}});
  write_predictions(flags.out, {}, named, made.rows);
  if (flags.out != "-") fmt::print("{}  {} rows by '{}'\n", flags.out, made.rows, made.function);
  return Exit::done;
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand(
      "generate", "new rows out of a function of a run: pictures of a decoder or a generator");
  auto flags = std::make_shared<Flags>();
  sub->add_option("RUN", flags->run, "the folder of a run")->required();
  sub->add_option("-n,--rows", flags->choices.rows, "how many")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  sub->add_option("--function", flags->choices.function,
                  "which function of the model; default: the one that draws");
  sub->add_option("-i,--in", flags->choices.in,
                  "NAME=VALUE for an input: a number or the word of a class, for all rows; "
                  "NAME=A,B,C row by row");
  auto* walk = sub->add_option("--walk", flags->walk,
                               "ROW:ROW: on the straight line between two rows of the data, "
                               "counted from 0 (test rows if there are any)");
  sub->add_option("--reconstruct", flags->choices.reconstruct,
                  "a file or folder of rows: the first of them (-n), and what the model makes of "
                  "each")
      ->excludes(walk);
  sub->add_option("-o,--out", flags->out,
                  "FILE.png for a grid of pictures, FILE.npz, FILE.csv for numbers")
      ->required();
  sub->add_option("--columns", flags->columns, "pictures in a line; default: about a square")
      ->check(CLI::Range(1, 10000));
  sub->add_option("--range", flags->range,
                  "LOW:HIGH: the numbers that are black and white; default: 0:1, -1:1 or 0:255, "
                  "by what there is");
  sub->add_option("--seed", flags->choices.seed, "of what is drawn")->capture_default_str();
  add_compile_options(*sub, flags->choices.compile);
  sub->callback([flags, &action] { action = [flags] { return run(*flags); }; });
}

}  // namespace nnc::tool
