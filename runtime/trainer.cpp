#include "runtime/trainer.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>

#include "runtime/batching.h"
#include "runtime/best_tracker.h"
#include "runtime/inference.h"
#include "runtime/keeper.h"
#include "runtime/state.h"

namespace nnc::runtime {
namespace {

using SteadyClock = std::chrono::steady_clock;

ScalarOptions with_seed(const TrainOptions& options) {
  ScalarOptions scalars = options.scalars;
  scalars.seed = options.seed;
  return scalars;
}

std::vector<StepCall> with_scalars(std::vector<StepCall> steps, const TrainOptions& options) {
  for (StepCall& step : steps)
    if (!step.scalars) step.scalars = options.scalars;
  return steps;
}

// One run of training. The loop over steps allocates nothing and looks nothing up.
class Session {
 public:
  Session(const abi::Program& program, const TrainEntries& entries, const Dataset& data,
          Buffer& state, const TrainOptions& options, ThreadPool& pool, Observer& observer)
      : program_(program),
        entries_(entries),
        data_(data),
        state_(state),
        options_(options),
        pool_(pool),
        observer_(observer),
        batches_(data.train, options.batch, options.seed, options.shuffle),
        steps_(program, with_scalars(entries.steps, options), data.train, options.augment,
               batches_.batch_size(), options.seed, state.data()),
        tracker_(program, options, !data.valid.empty()),
        training_{program, entries_of(entries.steps), data.train, options},
        keeper_(training_, tracker_.keeps_best()) {
    if (!entries.complete) make_evaluator();
    clock_.steps_per_epoch = batches_.count();
    clock_.total_steps =
        options.steps >= 0 ? options.steps : options.epochs * clock_.steps_per_epoch;
    epochs_ = (clock_.total_steps + clock_.steps_per_epoch - 1) / clock_.steps_per_epoch;
  }

  TrainResult run() {
    start();
    while (progress_.step < clock_.total_steps && !stopped_ && !tracker_.should_stop(progress_)) {
      run_epoch();
    }
    if (tracker_.should_stop(progress_)) result_.end = TrainResult::End::early_stop;
    if (stopped_) result_.end = TrainResult::End::stopped;
    note_time();
    keeper_.write(state_, progress_);
    const Buffer& kept = keeper_.weights(state_);
    if (&kept != &state_) std::memcpy(state_.data(), kept.data(), kept.size());
    result_.epochs = progress_.epoch;
    result_.steps = progress_.step;
    result_.best_epoch = progress_.best_epoch;
    result_.best_value = progress_.best_value;
    result_.watched = tracker_.watch();
    result_.weights_checksum = keeper_.weights_checksum();
    result_.seconds = progress_.seconds;
    return result_;
  }

  // Training up to a step, in silence; the state stays where it is then.
  void run_until(int64_t step) {
    if (options_.resume) progress_ = load_progress(training_, state_);
    while (progress_.step < step) {
      begin_epoch();
      while (progress_.batch < batches_.count() && progress_.step < step) run_batch();
      if (progress_.batch == batches_.count()) next_epoch();
    }
  }

 private:
  void make_evaluator() {
    if (entries_.evaluate == nullptr || data_.valid.empty()) return;
    evaluator_.emplace(program_, *entries_.evaluate, entries_.prelude, data_.valid, state_.data(),
                       with_seed(options_));
  }

  // The evaluator at its first use, if there is one.
  void complete_entries() {
    if (!entries_.complete || data_.valid.empty()) return;
    entries_.complete(entries_);
    entries_.complete = {};
    make_evaluator();
  }

  void start() {
    if (options_.resume) {
      progress_ = keeper_.resume(state_);
    } else {
      progress_.seed = options_.seed;
      progress_.batch_size = options_.batch;
      keeper_.start(state_);
    }
    last_time_ = SteadyClock::now();
  }

  void begin_epoch() {
    batches_.start_epoch(progress_.epoch + 1);
    if (progress_.batch > 0) {
      steps_.sums().restore(progress_.sums);  // which load_progress has tried
    } else {
      steps_.sums().reset();
    }
  }

  void next_epoch() {
    ++progress_.epoch;
    progress_.batch = 0;
    progress_.epoch_seconds = 0;
    progress_.sums.clear();
  }

  void run_epoch() {
    begin_epoch();
    while (progress_.batch < batches_.count() && progress_.step < clock_.total_steps) {
      const int64_t bad = run_batch();
      if (bad >= 0) fail(bad);
      if ((progress_.step & clock_mask_) == 0) report_progress();
      if (observer_.should_stop()) {
        stopped_ = true;
        break;
      }
    }
    note_time();
    if (stopped_ && progress_.batch < batches_.count()) {
      progress_.sums = steps_.sums().sums();
      return;
    }
    end_epoch();
  }

  // One step; the first row of the batch with a loss that is not finite, or -1.
  int64_t run_batch() {
    clock_.step = progress_.step;
    rows_ = batches_.batch(progress_.batch);
    ++progress_.batch;
    ++progress_.step;
    return steps_.run(pool_, rows_, clock_, progress_.epoch + 1);
  }

  // What cannot be trained on or predicted with is not kept.
  void check_weights() {
    const abi::StateDesc* bad = non_finite_parameter(program_, state_);
    if (bad == nullptr) return;
    keeper_.write_last_epoch();
    throw NonFiniteWeight(bad->name, progress_.epoch + 1);
  }

  void end_epoch() {
    check_weights();
    EpochReport report;
    report.partial = progress_.batch < batches_.count();
    report.train = steps_.sums().finish();
    complete_entries();
    if (evaluator_) report.valid = evaluator_->run(clock_, pool_);
    note_time();
    report.epoch = progress_.epoch + 1;
    report.epochs = epochs_;
    report.step = progress_.step;
    report.seconds = progress_.epoch_seconds;
    report.rate = binding_rate();
    report.improved = tracker_.look(report.train, report.valid, report.epoch, progress_);
    if (progress_.best_epoch == 0) report.no_value = tracker_.watch();
    if (report.partial) {  // more steps may follow some day: the epoch is not over
      progress_.sums = steps_.sums().sums();
    } else {
      next_epoch();
    }
    keeper_.end_epoch(state_, progress_, report);
    observer_.on_epoch(report);
    result_.train = std::move(report.train);
    result_.valid = std::move(report.valid);
  }

  double binding_rate() const {
    const StepCall& first = entries_.steps.front();
    const ScalarOptions& scalars = first.scalars ? *first.scalars : options_.scalars;
    return scalars.rate *
           factor_at(scalars.schedule, clock_of_call(clock_, first.calls, first.calls - 1));
  }

  void note_time() {
    const auto now = SteadyClock::now();
    const double seconds = std::chrono::duration<double>(now - last_time_).count();
    progress_.seconds += seconds;
    progress_.epoch_seconds += seconds;
    last_time_ = now;
  }

  void report_progress() {
    const auto now = SteadyClock::now();
    // Short steps look at the clock less often.
    clock_mask_ = now - last_look_ < std::chrono::milliseconds(5) ? 15 : 0;
    last_look_ = now;
    if (now - last_report_ < std::chrono::milliseconds(100)) return;
    last_report_ = now;
    note_time();
    observer_.on_progress({progress_.epoch + 1, epochs_, progress_.batch, batches_.count(),
                           progress_.step, clock_.total_steps, steps_.sums().mean_loss(),
                           progress_.seconds});
  }

  [[noreturn]] void fail(int64_t bad) {
    NonFinite details;
    details.step = progress_.step;
    details.epoch = progress_.epoch + 1;
    details.term = steps_.sums().bad_term();
    details.row = bad;
    details.table_row = rows_[static_cast<size_t>(bad)];
    details.place = data_.train.table->file + ": " + data_.train.table->place(details.table_row);
    details.batch_rows.assign(rows_.begin(), rows_.end());
    details.entry = steps_.entry().name;
    details.scalars = steps_.scalars();
    for (const BatchInput& input : steps_.made()) {
      details.made[input.name] = input.numbers(rows_.size());
    }
    keeper_.write_last_epoch();
    throw NonFiniteError(std::move(details));
  }

  const abi::Program& program_;
  TrainEntries entries_;
  const Dataset& data_;
  Buffer& state_;
  const TrainOptions& options_;
  ThreadPool& pool_;
  Observer& observer_;
  Batches batches_;
  Steps steps_;
  BestTracker tracker_;
  Training training_;
  Keeper keeper_;
  std::optional<Evaluator> evaluator_;
  Clock clock_;
  int64_t epochs_ = 0;
  Progress progress_;
  TrainResult result_;
  std::span<const int32_t> rows_;  // of the last step
  bool stopped_ = false;
  SteadyClock::time_point last_time_;
  int64_t clock_mask_ = 0;
  SteadyClock::time_point last_look_ = SteadyClock::now();
  SteadyClock::time_point last_report_ = last_look_;
};

void check_rows(const Dataset& data) {
  if (data.train.empty()) throw std::invalid_argument("there are no rows to train on");
}

std::string describe(const NonFinite& details) {
  return fmt::format("step {} (epoch {}): the loss '{}' is not a finite number, first for {}",
                     details.step, details.epoch, details.term, details.place);
}

}  // namespace

NonFiniteError::NonFiniteError(NonFinite what)
    : std::runtime_error(describe(what)), details(std::move(what)) {}

NonFiniteWeight::NonFiniteWeight(std::string name, int64_t epoch)
    : std::runtime_error(fmt::format("epoch {}: '{}' is no longer finite", epoch, name)),
      weight(std::move(name)),
      epoch(epoch) {}

TrainResult train(const abi::Program& program, const TrainEntries& entries, const Dataset& data,
                  Buffer& state, const TrainOptions& options, ThreadPool& pool,
                  Observer& observer) {
  check_rows(data);
  return Session(program, entries, data, state, options, pool, observer).run();
}

void replay_before(int64_t step, const abi::Program& program, const TrainEntries& entries,
                   const Dataset& data, Buffer& state, TrainOptions options, ThreadPool& pool) {
  check_rows(data);
  Observer nobody;
  Session(program, entries, data, state, options, pool, nobody).run_until(step - 1);
}

}  // namespace nnc::runtime
