// nnc bench: what a training step, inference and compilation cost on this machine.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "runtime/binding.h"
#include "runtime/inference.h"
#include "tools/nnc/command.h"
#include "tools/nnc/compile_times.h"
#include "tools/nnc/kernel_code.h"
#include "tools/nnc/machine.h"
#include "tools/nnc/machine_peak.h"
#include "tools/nnc/profile.h"
#include "tools/nnc/scratch_folder.h"
#include "tools/nnc/terminal.h"
#include "tools/workbench/clock.h"
#include "tools/workbench/input_rows.h"
#include "tools/workbench/late_entries.h"
#include "tools/workbench/random_rows.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/ready.h"
#include "tools/workbench/train_options.h"
#include "tools/workbench/trained.h"

namespace nnc::tool {

using namespace workbench;

namespace {

struct Flags : ReadyChoices {
  double seconds = 1;
  bool json = false;
  bool profile = false;
  bool time_passes = false;
  bool machine = false;
  bool renew = false;
  int kernel = -1;           // number of the group whose machine code is shown
  std::string compile_once;  // folder of the object cache (see compile_times.h)
  int64_t started = 0;
};

// Microseconds a call.
struct Times {
  double min = 0;
  double median = 0;
  int threads = 1;  // that the last call ran on
};

// Times calls of an entry over ever new batches of rows that lie scattered in the table.
Times time_entry(const abi::EntryDesc& entry, const runtime::Table& table, int64_t batch,
                 void* state, const runtime::ScalarOptions& scalars, runtime::ThreadPool& pool,
                 double seconds) {
  runtime::ScalarOptions options = scalars;
  options.named = named_scalars(entry);
  runtime::Binding binding(entry, table, state, options);
  const std::vector<int32_t> order = scattered_rows(table.rows);
  const int64_t batches = table.rows / batch;
  runtime::Clock clock;
  clock.total_steps = 1 << 30;
  const auto call = [&] {
    const auto first = static_cast<size_t>(clock.step % batches * batch);
    binding.run(pool, {order.data() + first, static_cast<size_t>(batch)}, clock);
    ++clock.step;
  };
  const auto warm_up = Clock::now();
  int64_t calls = 0;
  while (seconds_since(warm_up) < seconds * 0.2 || calls < 3) {
    call();
    ++calls;
  }
  // Each sample is a group of calls long enough for the clock.
  const double one = seconds_since(warm_up) / static_cast<double>(calls);
  const auto group = std::max<int64_t>(1, static_cast<int64_t>(200e-6 / one));
  std::vector<double> samples;
  const auto start = Clock::now();
  while (seconds_since(start) < seconds || samples.size() < 10) {
    const auto begin = Clock::now();
    for (int64_t i = 0; i < group; ++i) call();
    samples.push_back(seconds_since(begin) * 1e6 / static_cast<double>(group));
  }
  std::sort(samples.begin(), samples.end());
  return {samples.front(), samples[samples.size() / 2], static_cast<int>(binding.threads())};
}

// The entry that is timed first, group by group.
StepProfile profile_entry(const Ready& ready, const runtime::Table& table, int64_t batch,
                          void* state, const runtime::ScalarOptions& scalars,
                          runtime::ThreadPool& pool, int threads, double seconds) {
  const abi::EntryDesc entry = recording_entry(ready.compiled->profiled_entry(ready.entry),
                                               ready.compiled->groups(ready.entry), threads);
  runtime::ScalarOptions options = scalars;
  options.named = named_scalars(entry);
  runtime::Binding binding(entry, table, state, options);
  const std::vector<int32_t> order = scattered_rows(table.rows);
  runtime::Clock clock;
  clock.total_steps = 1 << 30;
  return record_profile(
      [&] {
        const auto first = static_cast<size_t>(clock.step++ % (table.rows / batch) * batch);
        binding.run(pool, {order.data() + first, static_cast<size_t>(batch)}, clock);
      },
      seconds);
}

// All phases of a batch, one after the other.
Times time_steps(const Ready& ready, const runtime::Table& table, int64_t batch, void* state,
                 runtime::ThreadPool& pool, double seconds) {
  Times sum;
  for (const runtime::StepCall& call : step_calls(*ready.compiled, ready.model.description)) {
    const Times one = time_entry(*call.entry, table, batch, state, *call.scalars, pool, seconds);
    sum.min += one.min * static_cast<double>(call.calls);
    sum.median += one.median * static_cast<double>(call.calls);
    sum.threads = std::max(sum.threads, one.threads);
  }
  return sum;
}

// Of all steps of a batch, or of a prediction where nothing is trained.
double batch_flops(CompiledModel& compiled) {
  if (!abi::trains(compiled.program())) return compiled.flops("predict");
  double flops = 0;
  for (const abi::EntrySpec& spec : compiled.program().entries)
    if (spec.kind == abi::EntryKind::step)
      flops += compiled.flops(spec.name) * static_cast<double>(spec.calls);
  return flops;
}

void show_kernel(const Flags& flags) {
  CompileOptions options = compile_options(flags.compile);
  options.batch = options.inference_batch = flags.batch;
  const Model model = read_model(flags.model.file, flags.model.overrides);
  const auto compiled = compile_model(model, fields_of(model), options);
  const std::string entry = abi::main_entry(compiled->program());
  const auto groups = compiled->groups(entry);
  if (static_cast<size_t>(flags.kernel) >= groups.size()) {
    throw CommandError(Exit::usage, fmt::format("kernel {} does not exist: '{}' has 0 to {}",
                                                flags.kernel, entry, groups.size() - 1));
  }
  const kernel::GroupSummary& group = groups[static_cast<size_t>(flags.kernel)];
  print_kernel(find_kernel(compiled->dump("asm", entry), group.function),
               fmt::format("{}  {}  {}", group.function, group.shape, group.schedule));
}

struct Report {
  std::string model;
  int64_t batch = 0;
  int threads = 0;
  bool trains = true;
  Times step, infer;
  double cold_ms = 0, warm_ms = 0;
  double flops = 0;
  double peak_gflops = 0;
  std::optional<StepProfile> profile;
  Machine machine;        // only with a profile
  int entry_threads = 1;  // that run the entry of the profile
  Yardstick yardstick() const { return {machine, peak_gflops, entry_threads}; }
  double share() const {
    const double microseconds = trains ? step.min : infer.min;
    return flops / (microseconds * 1e3) / peak_gflops;
  }
};

// Enough that rows come from memory as in training, in at most this many bytes (or one batch).
int64_t rows_to_measure(const std::vector<runtime::FieldInfo>& fields, int64_t batch) {
  constexpr int64_t most_bytes = int64_t{256} << 20;
  int64_t bytes = 1;
  for (const runtime::FieldInfo& field : fields) bytes += field.row_bytes();
  return std::max(batch, std::min(std::max<int64_t>(batch * 8, 4096), most_bytes / bytes));
}

Report measure(const Flags& flags) {
  const ScratchFolder cache;
  Report report;
  report.threads = threads_of(flags.compile);
  report.cold_ms = make_ready(flags, cache.path()).milliseconds;
  const Ready ready = make_ready(flags, cache.path());
  report.warm_ms = ready.milliseconds;
  CompiledModel& compiled = *ready.compiled;
  report.model = ready.model.description.name;
  report.trains = abi::trains(compiled.program());
  report.batch = flags.batch > 0 ? flags.batch : compiled.entry(ready.entry).max_rows;
  report.flops = batch_flops(compiled);

  const runtime::Table table =
      random_rows(ready.fields, rows_to_measure(ready.fields, report.batch));
  runtime::Buffer state = state_for(compiled.program(), ready.model.data, table);
  runtime::ScalarOptions scalars;
  if (report.trains) scalars = step_scalars(ready.model.description, 0);
  runtime::ThreadPool pool(report.threads);
  check_started(pool, report.threads);
  report.threads = pool.threads();
  if (report.trains) {
    report.step = time_steps(ready, table, report.batch, state.data(), pool, flags.seconds);
  }
  if (compiled.has_entry("prelude")) {
    runtime::run_prelude(&compiled.entry("prelude"), state.data(), pool);
  }
  const auto raw =
      raw_rows(table, scattered_rows(table.rows), compiled.planned_entry("predict").inputs);
  report.infer = time_entry(compiled.entry("predict"), *raw, report.batch, state.data(), scalars,
                            pool, flags.seconds);
  report.peak_gflops = measured_peak_gflops(compile_options(flags.compile).target, pool);
  if (flags.profile) {
    report.machine = machine_figures(compile_options(flags.compile).target);
    report.entry_threads = report.trains ? report.step.threads : report.infer.threads;
    report.profile =
        profile_entry(ready, *(report.trains ? &table : raw.get()), report.batch, state.data(),
                      scalars, pool, report.entry_threads, flags.seconds);
  }
  return report;
}

void print_json(const Report& report) {
  const auto times = [](const Times& t) {
    return nlohmann::ordered_json{{"min", t.min}, {"median", t.median}};
  };
  nlohmann::ordered_json json;
  json["model"] = report.model;
  json["batch"] = report.batch;
  json["threads"] = report.threads;
  json["train_step_us"] = report.trains ? times(report.step) : nlohmann::ordered_json();
  json["infer_us"] = times(report.infer);
  json["compile_ms"] = {{"cold", report.cold_ms}, {"warm", report.warm_ms}};
  json["flops_per_step"] = report.flops;
  json["peak_gflops"] = report.peak_gflops;
  json["share_of_peak"] =
      report.share() <= 1 ? nlohmann::ordered_json(report.share()) : nlohmann::ordered_json();
  if (report.profile) json["profile"] = to_json(*report.profile, report.yardstick());
  tool::print_json(json);
}

void print_text(const Report& report) {
  const auto row = [](const char* what, const Times& t) {
    fmt::print("  {:<14}{:>12}   median {}\n", what, duration_text(t.min * 1e-6),
               duration_text(t.median * 1e-6));
  };
  fmt::print("{}  batch {}, {} thread{}\n", styled(report.model, Style::bold), report.batch,
             report.threads, report.threads == 1 ? "" : "s");
  if (report.trains) row("training step", report.step);
  row("inference", report.infer);
  const double microseconds = report.trains ? report.step.min : report.infer.min;
  // More than the peak: others had the machine while that was measured.
  const std::string share = report.share() <= 1 ? fmt::format("{:.1f} %", report.share() * 100)
                                                : std::string("more than all");
  fmt::print("  {:<14}{:>12}   {} of the measured peak of {:.0f} GFLOP/s ({} flops a {})\n",
             "speed", fmt::format("{:.1f} GFLOP/s", report.flops / microseconds * 1e-3), share,
             report.peak_gflops, count_text(report.flops), report.trains ? "step" : "call");
  if (report.share() > 1) {
    fmt::print("  the peak was measured too low, while the machine was busy: run it again\n");
  }
  fmt::print("  {:<14}{:>12}   {} with a filled cache\n", "compile",
             duration_text(report.cold_ms * 1e-3), duration_text(report.warm_ms * 1e-3));
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("bench", "time of a step and of inference, share of the peak");
  auto flags = std::make_shared<Flags>();
  add_model_options(*sub, flags->model);
  sub->get_option("FILE")->required(false);  // --machine needs none
  sub->add_option("--batch", flags->batch, "rows of a step (default: train.batch)")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 30));
  sub->add_option("--seconds", flags->seconds, "how long each measurement takes")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_compile_options(*sub, flags->compile);
  sub->add_option("--kernel", flags->kernel,
                  "show the machine code of group N of the profile, and time nothing")
      ->check(CLI::NonNegativeNumber);
  sub->add_flag("--profile", flags->profile, "a table of where the time of a step goes");
  sub->add_flag("--time-passes", flags->time_passes,
                "where the time of compiling goes, from the start of the process");
  sub->add_flag(
      "--machine", flags->machine,
      "what this machine can do: flops, caches, memory, barriers; measured once and kept");
  sub->add_flag("--renew", flags->renew, "measure the machine again");
  sub->add_flag("--json", flags->json, "one JSON object on standard output");
  sub->add_option("--compile-once", flags->compile_once)->group("");  // hidden: for --time-passes
  sub->add_option("--started", flags->started)->group("");
  sub->callback([&action, flags] {
    action = [flags] {
      if (!flags->compile_once.empty()) {
        compile_once(*flags, flags->compile_once, flags->started);
        return Exit::done;
      }
      if (flags->machine || flags->renew) {
        print_machine(compile_options(flags->compile).target, flags->renew, flags->json);
        return Exit::done;
      }
      if (flags->model.file.empty()) {
        throw CommandError(Exit::usage, "which model? nnc bench FILE",
                           "nnc bench --machine measures this machine");
      }
      if (flags->time_passes) {
        print_compile_times(flags->json);
        return Exit::done;
      }
      if (flags->kernel >= 0) {
        show_kernel(*flags);
        return Exit::done;
      }
      const Report report = measure(*flags);
      flags->json ? print_json(report) : print_text(report);
      if (report.profile && !flags->json) print_profile(*report.profile, report.yardstick());
      return Exit::done;
    };
  });
}

}  // namespace nnc::tool
