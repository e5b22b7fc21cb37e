// nnc train: from a model file, or an interrupted run, to a run folder.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <future>
#include <limits>
#include <optional>

#include "compiler/language/resolve.h"
#include "compiler/support/text.h"
#include "runtime/atomic_file.h"
#include "runtime/data/error.h"
#include "runtime/data/load.h"
#include "runtime/data/statistics.h"
#include "runtime/inference.h"
#include "runtime/keeper.h"
#include "runtime/run_folder.h"
#include "runtime/state.h"
#include "runtime/utf8.h"
#include "tools/nnc/command.h"
#include "tools/nnc/interrupt.h"
#include "tools/nnc/non_finite.h"
#include "tools/nnc/progress.h"
#include "tools/nnc/width.h"
#include "tools/workbench/bad_numbers.h"
#include "tools/workbench/clock.h"
#include "tools/workbench/data_place.h"
#include "tools/workbench/data_spec.h"
#include "tools/workbench/initial.h"
#include "tools/workbench/job.h"
#include "tools/workbench/late_entries.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/resumed.h"
#include "tools/workbench/run.h"
#include "tools/workbench/splits.h"
#include "tools/workbench/train_options.h"
#include "tools/workbench/version.h"

namespace nnc::tool {

using namespace workbench;

namespace {

struct Flags {
  std::string file;
  std::vector<std::string> overrides;
  CompileChoices compile;
  std::string run;
  std::string resume;
  std::optional<int64_t> epochs, batch, seed;
  bool force = false;
  bool quiet = false;
};

// Everything of one training, in the order in which it comes to be.
struct Job {
  Model model;
  Manifest manifest;
  nlohmann::ordered_json facts;  // what else the manifest says
  std::string folder;            // empty: the next one of this name
  RunLock lock;
  bool resumed = false;
  std::unique_ptr<CompiledModel> compiled;
  std::unique_ptr<LateEntries> late;
  std::future<runtime::Dataset> loading;
  std::shared_future<nlohmann::ordered_json> hashes;
  runtime::Dataset data;
  runtime::TrainOptions options;
  runtime::TrainOptions before;  // of a resumed run: as it was trained until now
  std::string rate_note;         // how its learning rate goes on, if that is new
  runtime::Buffer state;
  double compile_seconds = 0;
  int threads = 1;
};

void add_shortcuts(const Flags& flags, std::vector<std::string>& overrides) {
  const auto add = [&](const char* path, const std::optional<int64_t>& value) {
    if (value) overrides.push_back(fmt::format("{}={}", path, *value));
  };
  add("train.epochs", flags.epochs);
  add("train.batch", flags.batch);
  add("train.seed", flags.seed);
}

void begin_new(const Flags& flags, Job& job) {
  job.manifest.overrides = flags.overrides;
  add_shortcuts(flags, job.manifest.overrides);
  job.model = read_model(flags.file, job.manifest.overrides);
  job.manifest.model_name = job.model.description.name;
  job.manifest.model_path = std::filesystem::absolute(flags.file).lexically_normal();
  if (!runtime::is_utf8(job.manifest.model_path)) {
    throw CommandError(Exit::usage,
                       fmt::format("the name of this folder is not UTF-8, and a run could not keep "
                                   "it: {}",
                                   runtime::with_escapes(job.manifest.model_path)),
                       "`convmv -f latin1 -t utf-8` renames folders");
  }
  job.folder = flags.run;
}

void begin_resumed(const Flags& flags, Job& job) {
  if (!flags.file.empty() || !flags.run.empty()) {
    throw CommandError(Exit::usage, "--resume takes the model and the folder from the run",
                       fmt::format("nnc train --resume {}", flags.resume));
  }
  job.folder = flags.resume;
  job.resumed = true;
  check_run_folder(job.folder);
  job.lock = RunLock(job.folder);  // before anything is read that another training may replace
  job.manifest = read_manifest(job.folder, &job.facts);
  std::vector<std::string> overrides = flags.overrides;
  add_shortcuts(flags, overrides);
  job.model = read_model(model_path_in(job.folder), overrides);
  job.before = options_of(model_path_in(job.folder));
  set_trained(job.model.data, job.manifest);
  job.manifest.overrides.insert(job.manifest.overrides.end(), overrides.begin(), overrides.end());
}

void check_trainable(const Job& job) {
  if (!job.model.description.train) {
    throw CommandError(Exit::usage,
                       fmt::format("{}: there is no `train` section, so there is nothing to train",
                                   job.manifest.model_path),
                       "it says how long and how: train: {epochs: 10, optimizer: adam}");
  }
  if (!job.model.data.train) {
    throw CommandError(Exit::usage,
                       fmt::format("{}: there are no rows to train on", job.manifest.model_path),
                       "data: {train: ...} says where they come from");
  }
}

// Compiles while the rows are read; what the first step does not need, while it runs.
void compile_and_load(const Flags& flags, Job& job) {
  const auto start = Clock::now();
  reading_data(job.model, [&] { job.manifest.fields = probe_fields(job.model); });
  job.loading = runtime::in_background([&data = job.model.data] {
    return runtime::load(data, {true, true, false});
  });
  CompileOptions options = compile_options(flags.compile);
  if (job.model.description.train->batch.all) {  // how many that is, the rows say
    reading_data(job.model, [&] { job.data = job.loading.get(); });
    options.batch = job.data.train.size();
  }
  job.compiled = compile_model(job.model, job.manifest.fields, options);
  if (!abi::trains(job.compiled->program())) {
    throw CommandError(Exit::usage, fmt::format("{}: nothing in the model can be trained",
                                                job.manifest.model_path));
  }
  step_calls(*job.compiled, job.model.description);
  job.compile_seconds = seconds_since(start);
  job.late =
      std::make_unique<LateEntries>(*job.compiled, std::vector<std::string>{"prelude", "evaluate"});
  // Now, where reading the rows leaves a core free.
  job.hashes = runtime::in_background([data = job.model.data] { return hash_data(data); });
  if (job.loading.valid()) reading_data(job.model, [&] { job.data = job.loading.get(); });
  for (runtime::FieldInfo& field : job.manifest.fields)
    if (const auto* loaded = job.data.find(field.name)) field.wide = loaded->wide;
}

void print_header(const Job& job, const CompileChoices& flags) {
  const abi::Program& program = job.compiled->program();
  const std::string shape = sketch(job.model, *job.compiled, job.manifest.fields);
  const std::string numbers = with_commas(program.parameters);
  const size_t taken = job.manifest.model_name.size() + shape.size() + numbers.size() + 15;
  const bool fits = !shape.empty() && taken <= static_cast<size_t>(terminal_width());
  print_progress("{}  {}{} parameters\n", styled(job.manifest.model_name, Style::bold),
                 fits ? shape + ", " : "", numbers);
  std::string rows = with_commas(job.data.train.size()) + " train";
  if (!job.data.valid.empty()) rows += ", " + with_commas(job.data.valid.size()) + " valid";
  print_progress("  data     {}\n", rows);
  for (const std::string& target : job.compiled->forward().prepared_targets)
    print_progress("  loss     of '{}' as prepared; metrics and predictions in its own units\n",
                   printable(target));
  const CompileTimings timings = job.compiled->timings();
  print_progress("  compile  {}{}, {} on {} thread{}\n", duration_text(job.compile_seconds),
                 timings.from_cache ? " (cached)" : "",
                 kernel::name_of(compile_options(flags).target.isa), job.threads,
                 job.threads == 1 ? "" : "s");
  print_progress("  run      {}{}\n", printable(job.folder),
                 !job.resumed         ? ""
                 : job.options.resume ? " (resumed)"
                                      : " (had no checkpoint yet: starts again)");
  if (!job.rate_note.empty()) print_progress("  rate     {}\n", job.rate_note);
  print_progress("\n");
}

nlohmann::ordered_json facts(const Job& job, const CompileChoices& flags,
                             const std::string& model_text) {
  nlohmann::ordered_json json;
  json["seed"] = job.options.seed;
  json["batch"] = job.options.batch;
  json["parameters"] = job.compiled->program().parameters;
  json["rows"] = {{"train", job.data.train.size()}, {"valid", job.data.valid.size()}};
  json["units"] = units_of(job.compiled->forward().outputs);
  json["model_hash"] = runtime::hash_text(model_text);
  json["machine"] = {{"cores", runtime::available_cores()},
                     {"threads", job.threads},
                     {"isa", kernel::name_of(compile_options(flags).target.isa)}};
  json["compile_ms"] = job.compile_seconds * 1e3;
  return json;
}

// A run that cannot go on stays as it is.
void check_resumed(Job& job) {
  check_same_data(job.folder, job.facts, job.hashes.get(), job.manifest.model_path);
  check_same_draw(job.folder, job.manifest, job.data.train);
  if (!job.options.resume) return;
  const runtime::Resumable found = runtime::check_resumable(
      {job.compiled->program(),
       runtime::entries_of(step_calls(*job.compiled, job.model.description)), job.data.train,
       job.options});
  warn_of_missing_metrics(job.folder, found);
  job.rate_note = rate_note(job.before, job.options, found.progress, found.steps_per_epoch);
}

void write_beginning(Job& job, const CompileChoices& flags) {
  const std::string text = language::to_yaml(job.model.description);
  job.facts = facts(job, flags, text);
  if (job.resumed) job.facts["data_hashes"] = job.hashes.get();  // as compared by check_resumed
  job.manifest.weights_checksum.clear();
  // The manifest first: it makes the folder a run, which says whose files these are.
  write_manifest(job.folder, job.manifest, job.facts);
  runtime::write_atomically(model_file_in(job.folder), text);
}

// The folder with everything that must be there before the first step.
void open_folder(Job& job, const Flags& flags) {
  if (job.folder.empty()) job.folder = make_next_run_folder(job.manifest.model_name);
  job.options.run_folder = job.folder;
  if (job.resumed) {
    check_resumed(job);
    remove_leftovers(job.folder);
    return write_beginning(job, flags.compile);
  }
  if (is_drawn(job.model.data, "train")) job.manifest.train_rows = rows_hash(job.data.train);
  job.lock = make_run_folder(job.folder, flags.force ? Replace::yes : Replace::no, flags.file);
  try {
    write_beginning(job, flags.compile);
  } catch (const runtime::DataError&) {
    remove_run(job.folder);
    throw;
  }
}

void set_options(Job& job) {
  job.options = train_options(job.model.description);
  job.options.run_folder = job.folder;
  job.options.resume = job.resumed && has_checkpoint(job.folder, job.manifest, job.facts);
}

runtime::Buffer initial(const Job& job, runtime::ThreadPool& pool) {
  return initial_state(job.model.description, *job.compiled, job.data, job.options.seed, pool,
                       job.options.resume ? Begin::again : Begin::first);
}

// The table of epochs; training ends at once if something compiled late turns out wrong.
class Progress final : public TrainProgress {
 public:
  Progress(Job& job, bool quiet)
      : TrainProgress(job.compiled->program(), !job.data.valid.empty(), job.options.epochs, quiet),
        job_(job),
        late_(*job.late) {}

  bool should_stop() override {
    late_.check();
    return TrainProgress::should_stop();
  }

  void on_epoch(const runtime::EpochReport& report) override {
    TrainProgress::on_epoch(report);
    keep_hashes();
    if (job_.options.early_stop && !report.no_value.empty() && !said_no_value_) {
      said_no_value_ = true;
      print_warning(fmt::format(
          "{} has no value in epoch {}, so it cannot say which weights are best, nor when to stop\n"
          "  auc, precision and their like need rows of more than one class; early_stop waits",
          report.no_value, report.epoch));
    }
    if (!was_number_ || report.valid.empty()) return;
    was_number_ = report.valid.finite();
    check_metrics("valid", report.valid, job_.compiled->entry("evaluate"), job_.data.valid);
  }

 private:
  // As soon as they are known: a run that is killed must not go on with other data either.
  void keep_hashes() {
    const bool known = job_.hashes.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    if (!known || job_.facts.contains("data_hashes")) return;
    job_.facts["data_hashes"] = job_.hashes.get();
    write_manifest(job_.folder, job_.manifest, job_.facts);
  }

  Job& job_;
  const LateEntries& late_;
  bool was_number_ = true;  // the loss of the valid rows, so far
  bool said_no_value_ = false;
};

// Loss and metrics on the test rows, which are read only now.
void judge(Job& job, runtime::ThreadPool& pool, bool quiet) {
  const runtime::DataSpec& data = job.model.data;
  if (!(data.test || data.test_fraction) || !job.compiled->has_entry("evaluate")) return;
  runtime::Dataset test;
  try {
    test = runtime::load(data, {false, false, true, &job.data.fitted});
  } catch (const runtime::DataError& error) {  // what was trained for stays
    print_warning(fmt::format("no figures of the test rows: {}", error.what()));
    return;
  }
  if (data.test_fraction && drawn_anew(data, job.data.train, test.train, job.hashes.get())) {
    print_warning("the data changed while the model was trained: no figures of the test rows");
    return;
  }
  runtime::ScalarOptions scalars = job.options.scalars;
  scalars.seed = job.options.seed;
  runtime::TrainEntries entries = train_entries(*job.compiled, job.model.description);
  entries.complete(entries);
  const runtime::Metrics metrics =
      runtime::evaluate(job.compiled->program(), *entries.evaluate, entries.prelude, test.test,
                        job.state, scalars, pool);
  warn_of_metrics("test", metrics, *entries.evaluate, test.test);
  job.facts["test"] = runtime::to_json(metrics);
  if (!quiet) {
    print_progress("{}", fitted(fmt::format("test   {}   ({} rows)\n", metrics_text(metrics),
                                            with_commas(metrics.rows))));
  }
}

void print_early_stop(const Job& job, const runtime::TrainResult& result, bool went_on) {
  const runtime::EarlyStop& stop = *job.options.early_stop;
  print_progress(
      "stopped early after epoch {}: no better {}{} for {} epoch{}\n", result.epochs,
      result.watched,
      stop.min_delta > 0 ? fmt::format(" by {} or more", number_text(stop.min_delta)) : "",
      stop.patience, stop.patience == 1 ? "" : "s");
  if (went_on) return;
  print_progress("to train it further: nnc train --resume {} --set train.early_stop.patience={}\n",
                 shell_word(job.folder), 2 * stop.patience);
}

void print_end(const Job& job, const runtime::TrainResult& result, bool went_on) {
  if (result.end == runtime::TrainResult::End::early_stop) {
    print_early_stop(job, result, went_on);
  } else if (!went_on) {
    const bool steps = job.options.steps >= 0;
    print_progress("the run was complete: nnc train --resume {} {}{} trains it further\n",
                   shell_word(job.folder), steps ? "--set train.steps=" : "--epochs ",
                   2 * std::max<int64_t>(steps ? result.steps : result.epochs, 1));
  }
  const bool best = job.options.keep == runtime::Keep::best;
  if (best && job.options.early_stop && result.best_epoch == 0 && result.epochs > 0) {
    print_progress("kept   the weights of epoch {}, the last: {} never had a value\n",
                   result.epochs, result.watched);
  }
  if (best && result.best_epoch > 0 && result.best_epoch != result.epochs) {
    print_progress("kept   the weights of epoch {}, the best: {} {}\n", result.best_epoch,
                   result.watched, loss_text(result.best_value));
  }
}

void print_next(const Job& job) {
  const std::string run = shell_word(job.folder);
  bool draws = false;
  for (const auto& function : job.model.description.functions) draws |= !function.draw.empty();
  print_progress("\nNext:\n  nnc eval {0}\n  nnc predict {0} --in FILE --out predictions.csv\n",
                 run);
  if (draws) print_progress("  nnc generate {} --out FILE\n", run);
  print_progress("  nnc emit {} -o {} --self-test\n", run,
                 shell_word(job.manifest.model_name + ".hpp"));
}

Exit stopped(Job& job, const runtime::TrainResult& result) {
  job.facts["data_hashes"] = job.hashes.get();
  job.manifest.weights_checksum = result.weights_checksum;
  write_manifest(job.folder, job.manifest, job.facts);
  print_error("stopped after step {}; to go on: nnc train --resume {}\n", result.steps,
              shell_word(job.folder));
  return Exit::stopped;
}

// Whoever uses the run hears of it.
Exit failed(Job& job, int64_t epoch) {
  job.facts["failed_in_epoch"] = epoch;
  write_manifest(job.folder, job.manifest, job.facts);
  return Exit::failed;
}

// The run is complete, whether somebody reads of it to the end or not.
Exit told(const Job& job) {
  if (flush_output() != EPIPE) return Exit::done;
  print_warning(
      fmt::format("standard output was closed by its reader; {} is complete", job.folder));
  forget_output();
  return Exit::done;
}

// What is known only when training is over.
void write_end(Job& job, const runtime::TrainResult& result, double seconds) {
  job.facts["data_hashes"] = job.hashes.get();
  job.manifest.weights_checksum = result.weights_checksum;
  job.facts["epochs"] = result.epochs;
  const bool kept_best = job.options.keep == runtime::Keep::best && result.best_epoch > 0;
  job.facts["kept_epoch"] = kept_best ? result.best_epoch : result.epochs;
  job.facts["train_seconds"] = result.seconds;
  job.facts["total_seconds"] = seconds;
  write_manifest(job.folder, job.manifest, job.facts);
}

Exit train(const Flags& flags) {
  const auto start = Clock::now();
  if (flags.file.empty() && flags.resume.empty()) {
    throw CommandError(Exit::usage, "which model? nnc train FILE",
                       "nnc train --resume RUN continues an interrupted run");
  }
  end_on_interrupts();
  Job job;
  flags.resume.empty() ? begin_new(flags, job) : begin_resumed(flags, job);
  check_trainable(job);
  job.threads = threads_of(flags.compile);
  if (!job.folder.empty() && !job.resumed) {
    check_replaceable(job.folder, flags.force ? Replace::yes : Replace::no, flags.file);
  }
  compile_and_load(flags, job);
  catch_interrupts();
  set_options(job);
  runtime::ThreadPool pool(job.threads);
  check_started(pool, job.threads);
  job.threads = pool.threads();
  reading_data(job.model, [&] { job.state = initial(job, pool); });
  open_folder(job, flags);
  if (!flags.quiet) print_header(job, flags.compile);

  Progress progress(job, flags.quiet);
  runtime::TrainResult result;
  try {
    result =
        runtime::train(job.compiled->program(), train_entries(*job.compiled, job.model.description),
                       job.data, job.state, job.options, pool, progress);
  } catch (const runtime::NonFiniteError& error) {
    progress.finish();
    explain_non_finite(error.details, *job.compiled,
                       train_entries(*job.compiled, job.model.description), job.data, job.options,
                       initial(job, pool), pool, job.model.description);
    return failed(job, error.details.epoch);
  } catch (const runtime::NonFiniteWeight& error) {
    progress.finish();
    explain_non_finite(error);
    return failed(job, error.epoch);
  }
  progress.finish();
  if (result.end == runtime::TrainResult::End::stopped) return stopped(job, result);
  if (!flags.quiet) print_progress("\n");
  if (!flags.quiet) print_end(job, result, progress.went_on() || !job.resumed);
  judge(job, pool, flags.quiet);
  write_end(job, result, seconds_since(start));
  if (!flags.quiet) {
    print_progress(fmt::runtime(job.resumed ? "time   {} now; {} of training since the run began\n"
                                            : "time   {} in all, {} of it training\n"),
                   duration_text(seconds_since(start)), duration_text(result.seconds));
    print_next(job);
  }
  return told(job);
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("train", "train a model; the result is a run folder");
  auto flags = std::make_shared<Flags>();
  sub->add_option("FILE", flags->file, "model file");
  sub->add_option("-o,--out", flags->run, "run folder (default: runs/NAME-001, the next number)");
  sub->add_option("--resume", flags->resume, "continue this run, to the same bits");
  sub->add_option("--set", flags->overrides, "change a value: --set train.optimizer.adam.rate=3e-4")
      ->option_text("PATH=VALUE, as often as wanted")
      ->allow_extra_args(false);
  sub->add_option("--epochs", flags->epochs, "instead of train.epochs")
      ->option_text("N")
      ->check(CLI::Range(int64_t{0}, int64_t{1'000'000'000}));
  sub->add_option("--batch", flags->batch, "instead of train.batch")
      ->option_text("N")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 30));
  sub->add_option("--seed", flags->seed, "instead of train.seed")
      ->option_text("N")
      ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()));
  add_compile_options(*sub, flags->compile);
  sub->add_flag("--force", flags->force, "replace a run that is there already");
  sub->add_flag("--quiet", flags->quiet, "say nothing but warnings and errors");
  sub->callback([&action, flags] { action = [flags] { return train(*flags); }; });
}

}  // namespace nnc::tool
