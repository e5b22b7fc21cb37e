#include "runtime/best_tracker.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace nnc::runtime {
namespace {

// Metrics of which more is better; everything else is an error or a loss.
bool grows(const std::string& watch) {
  return watch.ends_with("accuracy") || watch.ends_with(".r2");
}

bool has(const Metrics& metrics, const std::string& name) {
  const auto named = [&](const auto& pair) { return pair.first == name; };
  const auto term = [&](const auto& pair) { return "loss." + pair.first == name; };
  return name == "loss" || std::any_of(metrics.metrics.begin(), metrics.metrics.end(), named) ||
         std::any_of(metrics.terms.begin(), metrics.terms.end(), term);
}

}  // namespace

BestTracker::BestTracker(const TrainOptions& options, bool has_valid)
    : watch_(options.watch), early_stop_(options.early_stop) {
  keep_best_ = options.keep == Keep::best && (has_valid || !watch_.empty());
  if (watch_.empty()) watch_ = has_valid ? "valid.loss" : "train.loss";
  maximum_ = options.direction == Direction::maximum ||
             (options.direction == Direction::automatic && grows(watch_));
}

double BestTracker::value(const Metrics& train, const Metrics& valid) const {
  const bool of_train = watch_.starts_with("train.");
  const Metrics& metrics = of_train ? train : valid;
  const size_t dot = of_train || watch_.starts_with("valid.") ? 6 : 0;
  const std::string name = watch_.substr(dot);
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
