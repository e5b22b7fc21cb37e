// Trains a compiled program.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/augment.h"
#include "runtime/binding.h"
#include "runtime/checkpoint.h"
#include "runtime/data/load.h"
#include "runtime/metrics.h"
#include "runtime/steps.h"

namespace nnc::runtime {

// Stop when what is watched has not improved for `patience` epochs.
struct EarlyStop {
  int64_t patience = 5;
  double min_delta = 0;
};

enum class Keep : uint8_t { best, last };
enum class Direction : uint8_t { automatic, minimum, maximum };

struct TrainOptions {
  int64_t epochs = 1;  // 0: only the initial weights are written
  int64_t steps = -1;  // instead of epochs when >= 0; the last epoch may be a part of one
  int64_t batch = 32;  // <= 0: all rows
  uint64_t seed = 0;
  bool shuffle = true;
  AugmentOptions augment;
  ScalarOptions scalars;  // of evaluations; its seed is taken from `seed`
  // "valid.loss", "train.accuracy" …; empty: valid.loss, without a valid split train.loss. The
  // direction `automatic`: maximum for accuracy and r2, else minimum.
  std::string watch;
  Direction direction = Direction::automatic;
  std::optional<EarlyStop> early_stop;
  Keep keep = Keep::best;  // which weights weights.safetensors holds and `state` ends with
  std::string run_folder;  // empty: nothing is written
  bool resume = false;     // continue from run_folder's checkpoint
  // Checkpoints are written at the end of an epoch when this time has passed since the last one,
  // and always at the end of training, at a stop and at an error. 0: after every epoch.
  double checkpoint_seconds = 2;
  std::map<std::string, std::string> metadata;  // put into weights.safetensors
};

struct EpochReport {
  int64_t epoch = 0;   // from 1
  int64_t epochs = 0;  // how many there will be
  int64_t step = 0;
  Metrics train;
  Metrics valid;  // empty() without a valid split
  double seconds = 0;
  double rate = 0;        // of the last step
  bool improved = false;  // what is watched is the best so far
  std::string no_value;   // the name of what is watched, if it never had a value so far
  bool partial = false;   // a limit of steps ended it early
};

struct ProgressReport {
  int64_t epoch = 0;  // the epoch in progress, from 1
  int64_t epochs = 0;
  int64_t batch = 0;  // batches done of this epoch
  int64_t batches = 0;
  int64_t step = 0;  // steps done
  int64_t total_steps = 0;
  double loss = 0;     // mean of this epoch so far
  double seconds = 0;  // of training so far
};

// Called on the training thread.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_epoch(const EpochReport&) {}
  // At most ten times a second.
  virtual void on_progress(const ProgressReport&) {}
  // Asked after every step; true ends training with a checkpoint.
  virtual bool should_stop() { return false; }
};

// A loss that is not a finite number. The last checkpoint on disk is from before it.
struct NonFinite {
  int64_t step = 0;                 // from 1
  int64_t epoch = 0;                // from 1
  std::string entry;                // the step that computed it
  std::string term;                 // of the loss
  int64_t row = 0;                  // the first such row in the batch
  int64_t table_row = 0;            // the same row in the data
  std::string place;                // where that row is in its file
  std::vector<int32_t> batch_rows;  // rows of the batch in the data
  std::vector<double> scalars;      // of the step, by EntryDesc::scalars
  // Inputs that were made for the batch (augmented rows), by name: all their numbers in order.
  std::map<std::string, std::vector<double>> made;
};
class NonFiniteError : public std::runtime_error {
 public:
  explicit NonFiniteError(NonFinite details);
  NonFinite details;
};

// A weight has become infinite or NaN while every loss was a number: the last step's gradient was.
class NonFiniteWeight : public std::runtime_error {
 public:
  NonFiniteWeight(std::string weight, int64_t epoch);
  std::string weight;
  int64_t epoch = 0;  // in which it happened, from 1
};

struct TrainResult {
  enum class End : uint8_t { finished, early_stop, stopped };
  End end = End::finished;
  int64_t epochs = 0;  // finished
  int64_t steps = 0;
  int64_t best_epoch = 0;
  double best_value = 0;
  std::string watched;           // whose value that is: "valid.loss"
  std::string weights_checksum;  // of weights.safetensors; empty if nothing is written
  double seconds = 0;            // of training, without loading and compiling
  Metrics train, valid;          // of the last finished epoch
};

// The program's entries that training needs; both read the same state.
struct TrainEntries {
  std::vector<StepCall> steps;               // max_rows >= batch each; their seed is the options'
  const abi::EntryDesc* evaluate = nullptr;  // may be null without a valid split
  // Run once before evaluations after the state changed; may be null.
  const abi::EntryDesc* prelude = nullptr;
  // Sets `evaluate` and `prelude` when the first evaluation needs them, so that training can begin
  // while they are being compiled; may be empty. What it throws ends training.
  std::function<void(TrainEntries&)> complete = {};
};

// Trains `state` in place (a slab of program.state_bytes, initialised: see initial_state; with
// `resume` the checkpoint's values replace it). The result has the same bits for every number of
// threads and every interruption. Throws NonFiniteError, DataError (disk).
TrainResult train(const abi::Program& program, const TrainEntries& entries, const Dataset& data,
                  Buffer& state, const TrainOptions& options, ThreadPool& pool, Observer& observer);

// Brings `state` (freshly initialised, or with options.resume the checkpoint's) to where it was
// before step `step`, without writing anything: the same bits as in the run that reported it.
void replay_before(int64_t step, const abi::Program& program, const TrainEntries& entries,
                   const Dataset& data, Buffer& state, TrainOptions options, ThreadPool& pool);

}  // namespace nnc::runtime
