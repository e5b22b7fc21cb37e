// nnc predict: the outputs of a trained model for rows from files.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "tools/nnc/bad_numbers.h"
#include "tools/nnc/input_rows.h"
#include "tools/nnc/predictions.h"
#include "tools/nnc/terminal.h"
#include "tools/nnc/trained.h"

namespace nnc::tool {

namespace {

struct Flags {
  std::string run;
  std::vector<std::string> in;
  std::string out;
  CompileFlags compile;
};

// Names for the last axis of an output.
std::vector<std::string> words_for(const runtime::Prediction& output, const Trained& trained) {
  if (output.shape.size() != 1) return {};
  return class_words(trained, output.shape[0]);
}

Exit predict(const Flags& flags) {
  const Trained trained = open_trained(flags.run);
  check_prediction_path(flags.out, trained.model.description.model.outputs.size());
  const auto table = read_input_rows(flags.in, trained);
  CompileOptions options = compile_options(flags.compile);
  options.training = false;
  const auto compiled = compile_model(trained.model, trained.fields, options);
  runtime::Buffer state = trained_state(trained, *compiled);
  runtime::ThreadPool pool(threads_of(flags.compile));
  runtime::run_prelude(compiled->has_entry("prelude") ? &compiled->entry("prelude") : nullptr,
                       state.data(), pool);
  const runtime::Split rows = runtime::all_rows(table);
  const auto outputs = runtime::predict(compiled->entry("predict"), rows, state, pool);
  check_predictions(outputs, compiled->entry("predict"), rows);
  std::vector<NamedPrediction> named;
  for (const runtime::Prediction& output : outputs) {
    named.push_back({&output, words_for(output, trained)});
  }
  write_predictions(flags.out, named, table->rows);
  if (flags.out != "-") {
    fmt::print(stderr, "{} row{} to {}\n", with_commas(table->rows), table->rows == 1 ? "" : "s",
               flags.out);
  }
  return Exit::done;
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("predict", "the outputs of a run for rows from files");
  auto flags = std::make_shared<Flags>();
  sub->add_option("RUN", flags->run, "run folder")->required();
  sub->add_option(
         "-i,--in", flags->in,
         "rows: csv, npy, npz or idx; several inputs: --in a=x.npy --in b=y.npy; - for csv "
         "from standard input")
      ->required()
      ->allow_extra_args(false);
  sub->add_option("-o,--out", flags->out, "csv, npy or npz; - for csv on standard output")
      ->required();
  flags->compile.add_to(*sub);
  sub->callback([&action, flags] { action = [flags] { return predict(*flags); }; });
}

}  // namespace nnc::tool
