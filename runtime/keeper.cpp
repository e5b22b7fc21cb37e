#include "runtime/keeper.h"

#include <fmt/format.h>

#include <cstring>

#include "runtime/atomic_file.h"
#include "runtime/data/error.h"
#include "runtime/run_folder.h"

namespace nnc::runtime {
namespace {

void copy_into(Buffer& to, const Buffer& from) {
  if (to.size() != from.size()) to = Buffer(from.size());
  if (from.size() > 0) std::memcpy(to.data(), from.data(), from.size());
}

std::string metrics_path(const TrainOptions& options) {
  return options.run_folder + "/metrics.jsonl";
}

void check_same(const std::string& path, const char* what, uint64_t stored, uint64_t now) {
  if (stored == now) return;
  throw DataError(path, "", fmt::format("the run was started with another {}", what),
                  fmt::format("{}", stored), fmt::format("{}", now));
}

Progress load_progress(const abi::Program& program, const TrainOptions& options, Buffer& state) {
  const std::string path = checkpoint_path(options.run_folder);
  const Progress progress = load_checkpoint(path, program, state);
  check_same(path, "seed", progress.seed, options.seed);
  check_same(path, "batch size", static_cast<uint64_t>(progress.batch_size),
             static_cast<uint64_t>(options.batch));
  return progress;
}

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

void check_resumable(const abi::Program& program, const TrainOptions& options) {
  Buffer state(static_cast<size_t>(program.state_bytes));
  load_progress(program, options, state);
}

Keeper::Keeper(const abi::Program& program, const TrainOptions& options, bool keep_best)
    : program_(program), options_(options), keep_best_(keep_best) {}

void Keeper::start(const Buffer& state) {
  copy_into(last_epoch_, state);
  last_progress_.seed = options_.seed;
  last_progress_.batch_size = options_.batch;
  if (!options_.run_folder.empty()) truncate_metrics(metrics_path(options_), 0);
}

Progress Keeper::resume(Buffer& state) {
  const Progress progress = load_progress(program_, options_, state);
  truncate_metrics(metrics_path(options_), progress.epoch);
  copy_into(last_epoch_, state);
  last_progress_ = progress;
  if (keep_best_ && progress.best_epoch > 0) {
    copy_into(best_, state);
    load_weights(weights_path(options_.run_folder), program_, best_);
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
    write_lines();
  }
}

void Keeper::write_lines() {
  if (lines_.empty()) return;
  append_text(metrics_path(options_), lines_);
  lines_.clear();
  lines_written_ = std::chrono::steady_clock::now();
}

// The checkpoint goes last: were it newer than the others, resuming would miss the best weights and
// lines of metrics.
void Keeper::write(const Buffer& state, const Progress& progress) {
  if (options_.run_folder.empty()) return;
  write_lines();
  write_weights(weights(state));
  save_checkpoint(checkpoint_path(options_.run_folder), program_, state, progress,
                  options_.metadata);
  written_ = std::chrono::steady_clock::now();
}

void Keeper::write_last_epoch() { write(last_epoch_, last_progress_); }

void Keeper::write_weights(const Buffer& weights) {
  if (&weights == &best_ && best_is_written_) return;
  save_weights(weights_path(options_.run_folder), program_, weights, options_.metadata);
  best_is_written_ = &weights == &best_;
}

}  // namespace nnc::runtime
