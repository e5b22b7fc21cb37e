// What a training run keeps: the best weights, the state after the last finished epoch, and their
// files.
#pragma once

#include <chrono>

#include "runtime/trainer.h"

namespace nnc::runtime {

// What a run is trained by, which a checkpoint must fit.
struct Training {
  const abi::Program& program;
  std::vector<const abi::EntryDesc*> steps;
  const Split& rows;
  const TrainOptions& options;
};

// The checkpoint of options.run_folder, and its state in `state`. Throws DataError if it is
// damaged, or if the run was started with another model, seed, batch size or number of rows.
Progress load_progress(const Training& training, Buffer& state);

// Where a run stands that can be continued; nothing is written.
struct Resumable {
  Progress progress;
  int64_t logged = 0;  // how many of its epochs metrics.jsonl tells of
  int64_t steps_per_epoch = 1;
};
// Throws DataError where Keeper::resume would.
Resumable check_resumable(const Training& training);

// Writes nothing when options.run_folder is empty.
class Keeper {
 public:
  Keeper(const Training& training, bool keep_best);

  // A new run: no metrics. Throws DataError.
  void start(const Buffer& state);
  // Continues from the files of the run; fills `state`. Throws DataError, as load_progress does.
  Progress resume(Buffer& state);

  // After an epoch: remembers the state, and writes it when it is time to.
  void end_epoch(const Buffer& state, const Progress& progress, const EpochReport& report);
  // Writes where training stands now.
  void write(const Buffer& state, const Progress& progress);
  // Writes the end of the last finished epoch: the state now is of no use.
  void write_last_epoch();

  // The weights to predict with: the best ones, or `state` itself.
  const Buffer& weights(const Buffer& state) const { return best_.empty() ? state : best_; }
  // Of weights.safetensors as it was last written or read; empty: neither.
  const std::string& weights_checksum() const { return checksum_; }

 private:
  using Time = std::chrono::steady_clock::time_point;
  void write_weights(const Buffer& state);
  void write_lines(Durable durable);

  Training training_;
  const abi::Program& program_;
  const TrainOptions& options_;
  bool keep_best_;
  bool best_is_written_ = false;
  Buffer best_;        // empty: none yet, or keep: last
  Buffer last_epoch_;  // the whole state after the last finished epoch
  Progress last_progress_;
  std::string checksum_;
  std::string lines_;  // of metrics.jsonl, not written yet: epochs may take microseconds
  Time written_ = std::chrono::steady_clock::now();
  Time lines_written_ = written_;
};

}  // namespace nnc::runtime
