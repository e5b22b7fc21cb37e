#include "runtime/best_tracker.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace nnc::runtime {
namespace {

// What is watched, without its split.
std::string name_of(const std::string& watch) {
  const bool has_split = watch.starts_with("train.") || watch.starts_with("valid.");
  return watch.substr(has_split ? 6 : 0);
}

// Losses and errors shrink; metrics say for themselves.
bool grows(const std::string& watch, const abi::Program& program) {
  for (const abi::MetricDesc& metric : program.metrics) {
    if (metric.name == name_of(watch)) return metric.more_is_better;
  }
  return false;
}

bool has(const Metrics& metrics, const std::string& name) {
  const auto named = [&](const auto& pair) { return pair.first == name; };
  const auto term = [&](const auto& pair) {
    return "loss." + pair.first == name || pair.first == name;
  };
  return name == "loss" || std::any_of(metrics.metrics.begin(), metrics.metrics.end(), named) ||
         std::any_of(metrics.terms.begin(), metrics.terms.end(), term);
}

}  // namespace

BestTracker::BestTracker(const abi::Program& program, const TrainOptions& options, bool has_valid)
    : watch_(options.watch), early_stop_(options.early_stop) {
  keep_best_ = options.keep == Keep::best && (has_valid || !watch_.empty());
  if (watch_.empty()) {
    const std::string loss = program.has_total ? "loss" : program.loss_terms.front();
    watch_ = (has_valid ? "valid." : "train.") + loss;
  }
  maximum_ = options.direction == Direction::maximum ||
             (options.direction == Direction::automatic && grows(watch_, program));
}

double BestTracker::value(const Metrics& train, const Metrics& valid) const {
  const bool of_train = watch_.starts_with("train.");
  const Metrics& metrics = of_train ? train : valid;
  const std::string name = name_of(watch_);
  if (metrics.empty() || !has(metrics, name)) {
    throw std::invalid_argument("training watches '" + watch_ + "', which is not computed");
  }
  return metrics.value(name);
}

bool BestTracker::look(const Metrics& train, const Metrics& valid, int64_t epoch,
                       Progress& progress) const {
  const double now = value(train, valid);
  const bool first = progress.best_epoch == 0;
  const bool improved = std::isfinite(now) && (first || better(now, progress.best_value));
  // A figure that never had a value tells nothing: not that training is of no more use either.
  if (first && !std::isfinite(now)) return false;
  const double delta = early_stop_ ? early_stop_->min_delta : 0;
  const double needed = progress.early_stop_value + (maximum_ ? delta : -delta);
  if (improved && (first || better(now, needed))) {
    progress.early_stop_value = now;
    progress.epochs_without_improvement = 0;
  } else {
    ++progress.epochs_without_improvement;
  }
  if (improved) {
    progress.best_epoch = epoch;
    progress.best_value = now;
  }
  return improved;
}

bool BestTracker::should_stop(const Progress& progress) const {
  if (!early_stop_) return false;
  return progress.epochs_without_improvement >= std::max<int64_t>(early_stop_->patience, 1);
}

}  // namespace nnc::runtime
