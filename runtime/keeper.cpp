#include "runtime/keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "runtime/batching.h"
#include "runtime/data/error.h"
#include "runtime/run_folder.h"

namespace nnc::runtime {
namespace {

void copy_into(Buffer& to, const Buffer& from) {
  if (to.size() != from.size()) to = Buffer(from.size());
  if (from.size() > 0) std::memcpy(to.data(), from.data(), from.size());
}

template <class Number>
void check_same(const std::string& path, const char* what, Number stored, Number now) {
  if (stored == now) return;
  throw DataError(path, "", fmt::format("the run was started with another {}", what),
                  fmt::format("{}", stored), fmt::format("{}", now));
}

// The steps so far must be those of the epochs so far; batches start at an epoch's begin.
void check_steps(const std::string& path, const Progress& progress, int64_t batches) {
  if (progress.batch < batches && progress.step == progress.epoch * batches + progress.batch) {
    return;
  }
  throw DataError(
      path, "", "the run was started with another number of rows",
      fmt::format("{} epochs of {} batches and {} of the next, {} steps in all", progress.epoch,
                  batches, progress.batch, progress.epoch * batches + progress.batch),
      fmt::format("{} steps", progress.step));
}

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Progress load_progress(const Training& training, Buffer& state) {
  const TrainOptions& options = training.options;
  const std::string path = checkpoint_path(options.run_folder);
  Progress progress = load_checkpoint(path, training.program, state);
  check_same(path, "seed", progress.seed, options.seed);
  check_same(path, "batch size", progress.batch_size, options.batch);
  const Batches batches(training.rows, options.batch, options.seed, options.shuffle);
  check_steps(path, progress, batches.count());
  if (progress.batch > 0) {
    StepSums sums(training.program, training.steps);
    const int64_t rows = std::min(progress.batch * batches.batch_size(), batches.rows());
    if (!sums.restore(progress.sums) || sums.rows() != static_cast<double>(rows)) {
      throw DataError(path, "training.sums", "these are not the sums of this model's losses",
                      fmt::format("those of {} rows", rows));
    }
  }
  return progress;
}

Resumable check_resumable(const Training& training) {
  Buffer state(static_cast<size_t>(training.program.state_bytes));
  Resumable result;
  result.progress = load_progress(training, state);
  result.logged = epochs_of_metrics(training.options.run_folder, result.progress.epoch);
  const TrainOptions& options = training.options;
  result.steps_per_epoch =
      Batches(training.rows, options.batch, options.seed, options.shuffle).count();
  return result;
}

Keeper::Keeper(const Training& training, bool keep_best)
    : training_(training),
      program_(training.program),
      options_(training.options),
      keep_best_(keep_best) {}

void Keeper::start(const Buffer& state) {
  copy_into(last_epoch_, state);
  last_progress_.seed = options_.seed;
  last_progress_.batch_size = options_.batch;
  if (!options_.run_folder.empty()) truncate_metrics(options_.run_folder, 0);
}

Progress Keeper::resume(Buffer& state) {
  const Progress progress = load_progress(training_, state);
  truncate_metrics(options_.run_folder, progress.epoch);
  copy_into(last_epoch_, state);
  last_progress_ = progress;
  if (keep_best_ && progress.best_epoch > 0) {
    copy_into(best_, state);
    checksum_ = load_weights(weights_path(options_.run_folder), program_, best_)["checksum"];
    best_is_written_ = true;
  }
  return progress;
}

void Keeper::end_epoch(const Buffer& state, const Progress& progress, const EpochReport& report) {
  if (report.improved && keep_best_) {
    copy_into(best_, state);
    best_is_written_ = false;
  }
  copy_into(last_epoch_, state);
  last_progress_ = progress;
  if (options_.run_folder.empty()) return;
  lines_ += metrics_line(report.epoch, report.train, report.valid, report.seconds) + "\n";
  const Time now = std::chrono::steady_clock::now();
  if (seconds(now - written_) >= options_.checkpoint_seconds) {
    write(state, progress);
  } else if (seconds(now - lines_written_) >= 0.1) {
    write_lines(Durable::no);
  }
}

void Keeper::write_lines(Durable durable) {
  if (lines_.empty() && durable == Durable::no) return;
  append_text(metrics_file(options_.run_folder), lines_, durable);
  lines_.clear();
  lines_written_ = std::chrono::steady_clock::now();
}

// The checkpoint goes last, when the others have reached the disk: were it newer than they are,
// resuming would miss the best weights and lines of metrics.
void Keeper::write(const Buffer& state, const Progress& progress) {
  if (options_.run_folder.empty()) return;
  write_lines(Durable::yes);
  write_weights(weights(state));
  save_checkpoint(checkpoint_file(options_.run_folder), program_, state, progress,
                  options_.metadata);
  written_ = std::chrono::steady_clock::now();
}

void Keeper::write_last_epoch() { write(last_epoch_, last_progress_); }

void Keeper::write_weights(const Buffer& weights) {
  if (&weights == &best_ && best_is_written_) return;
  checksum_ = save_weights(weights_file(options_.run_folder), program_, weights, options_.metadata);
  best_is_written_ = &weights == &best_;
}

}  // namespace nnc::runtime
