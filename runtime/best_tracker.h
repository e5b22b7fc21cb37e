// What is watched while training: which epoch was the best, and when to stop early.
#pragma once

#include "runtime/trainer.h"

namespace nnc::runtime {

class BestTracker {
 public:
  BestTracker(const abi::Program& program, const TrainOptions& options, bool has_valid);

  // The full name of what is watched, such as "valid.loss".
  const std::string& watch() const { return watch_; }
  // Nothing was named and there is no valid split: the last weights are kept.
  bool keeps_best() const { return keep_best_; }

  // Looks at the numbers of a finished epoch and updates `progress`. True: the best so far. Epochs
  // before the first with a value do not count as epochs without improvement.
  // Throws std::invalid_argument when what is watched is not among the metrics.
  bool look(const Metrics& train, const Metrics& valid, int64_t epoch, Progress& progress) const;
  bool should_stop(const Progress& progress) const;

 private:
  double value(const Metrics& train, const Metrics& valid) const;
  bool better(double a, double b) const { return maximum_ ? a > b : a < b; }

  std::string watch_;
  bool keep_best_;
  bool maximum_;
  std::optional<EarlyStop> early_stop_;
};

}  // namespace nnc::runtime
