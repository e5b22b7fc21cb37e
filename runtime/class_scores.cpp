#include "runtime/class_scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace nnc::runtime {
namespace {

const double missing = std::numeric_limits<double>::quiet_NaN();

struct Scored {
  double score;
  bool positive;
};

// How many rows of each kind have one of the largest scores.
struct Step {
  double score;  // the smallest of them
  double positives, negatives;
};

// The rows of one class against all others, largest scores first.
std::vector<Scored> ranking(const std::vector<double>& rows, size_t classes, size_t which) {
  std::vector<Scored> result;
  result.reserve(rows.size() / (classes + 1));
  for (size_t at = 0; at < rows.size(); at += classes + 1) {
    const double target = rows[at + classes];
    const bool positive = classes == 1 ? target > 0.5 : target == static_cast<double>(which);
    result.push_back({rows[at + which], positive});
    if (std::isnan(rows[at + which])) return {};
  }
  std::sort(result.begin(), result.end(),
            [](const Scored& a, const Scored& b) { return a.score > b.score; });
  return result;
}

// One step for each distinct score, largest first.
std::vector<Step> all_steps_of(const std::vector<double>& rows, size_t classes, size_t which) {
  std::vector<Step> steps;
  double positives = 0;
  double negatives = 0;
  for (const Scored& row : ranking(rows, classes, which)) {
    (row.positive ? positives : negatives) += 1;
    if (steps.empty() || steps.back().score != row.score) steps.push_back({row.score, 0, 0});
    steps.back().positives = positives;
    steps.back().negatives = negatives;
  }
  return steps;
}

// The same; empty without rows of both kinds.
std::vector<Step> steps_of(const std::vector<double>& rows, size_t classes, size_t which) {
  std::vector<Step> steps = all_steps_of(rows, classes, which);
  if (!steps.empty() && (steps.back().positives == 0 || steps.back().negatives == 0)) return {};
  return steps;
}

RocCurve curve_of(const std::vector<double>& rows, size_t classes, size_t which) {
  const std::vector<Step> steps = steps_of(rows, classes, which);
  RocCurve curve;
  if (steps.empty()) return curve;
  const double positives = steps.back().positives;
  const double negatives = steps.back().negatives;
  const auto add = [&](const Step& step) {
    curve.threshold.push_back(step.score);
    curve.false_positive_rate.push_back(step.negatives / negatives);
    curve.true_positive_rate.push_back(step.positives / positives);
  };
  Step last{std::numeric_limits<double>::infinity(), 0, 0};
  add(last);
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    const Step& here = steps[i];
    const Step& next = steps[i + 1];
    const bool straight = (here.positives - last.positives) * (next.negatives - here.negatives) ==
                          (next.positives - here.positives) * (here.negatives - last.negatives);
    if (!straight) add(here);
    last = here;
  }
  add(steps.back());
  return curve;
}

}  // namespace

std::vector<double> count_ratios(std::span<const double> counts, size_t classes,
                                 abi::Finalize which) {
  std::vector<double> result;
  for (size_t c = 0; c < classes; ++c) {
    const double right = counts[c * classes + c];
    double of_class = 0;
    double taken_for_it = 0;
    for (size_t other = 0; other < classes; ++other) {
      of_class += counts[c * classes + other];
      taken_for_it += counts[other * classes + c];
    }
    double below = of_class + taken_for_it;  // f1: 2 TP / (TP + FN + TP + FP)
    if (below == 0) {
      result.push_back(missing);
      continue;
    }
    double above = 2 * right;
    if (which != abi::Finalize::f1) {
      above = right;
      below = which == abi::Finalize::precision ? taken_for_it : of_class;
    }
    result.push_back(below == 0 ? 0 : above / below);
  }
  return result;
}

double micro_ratio(std::span<const double> counts, size_t classes) {
  double right = 0;
  double all = 0;
  for (size_t k = 0; k < counts.size(); ++k) {
    all += counts[k];
    if (k % (classes + 1) == 0) right += counts[k];
  }
  return all > 0 ? right / all : missing;
}

double weighted_by_class(const std::vector<double>& values, std::span<const double> counts,
                         size_t classes) {
  double sum = 0;
  double all = 0;
  for (size_t c = 0; c < classes; ++c) {
    const auto row = counts.subspan(c * classes, classes);
    const double rows = std::accumulate(row.begin(), row.end(), 0.0);
    if (rows > 0) sum += rows * values[c];
    all += rows;
  }
  return all > 0 ? sum / all : missing;
}

double balanced_accuracy(std::span<const double> counts, size_t classes) {
  double sum = 0;
  double occurring = 0;
  for (size_t c = 0; c < classes; ++c) {
    const auto row = counts.subspan(c * classes, classes);
    const double rows = std::accumulate(row.begin(), row.end(), 0.0);
    if (rows == 0) continue;
    sum += row[c] / rows;
    occurring += 1;
  }
  return occurring > 0 ? sum / occurring : missing;
}

double matthews_correlation(std::span<const double> counts, size_t classes) {
  std::vector<double> targets(classes), predictions(classes);
  double all = 0;
  double right = 0;
  for (size_t k = 0; k < counts.size(); ++k) {
    targets[k / classes] += counts[k];
    predictions[k % classes] += counts[k];
    all += counts[k];
    if (k % (classes + 1) == 0) right += counts[k];
  }
  if (all == 0) return missing;
  const auto product = [](const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  const double spread =
      (all * all - product(targets, targets)) * (all * all - product(predictions, predictions));
  return spread > 0 ? (right * all - product(targets, predictions)) / std::sqrt(spread) : 0;
}

std::vector<double> areas_under_roc(const std::vector<double>& rows, size_t classes) {
  std::vector<double> result;
  for (size_t c = 0; c < classes; ++c) {
    const std::vector<Step> steps = steps_of(rows, classes, c);
    if (steps.empty()) {
      result.push_back(missing);
      continue;
    }
    double twice_area = 0;  // in units of one row of each kind
    Step last{0, 0, 0};
    for (const Step& step : steps) {
      twice_area += (step.negatives - last.negatives) * (step.positives + last.positives);
      last = step;
    }
    result.push_back(twice_area / (2 * last.positives * last.negatives));
  }
  return result;
}

std::vector<double> average_precisions(const std::vector<double>& rows, size_t classes) {
  std::vector<double> result;
  for (size_t c = 0; c < classes; ++c) {
    const std::vector<Step> steps = all_steps_of(rows, classes, c);
    double sum = 0;
    double before = 0;
    for (const Step& step : steps) {
      sum += (step.positives - before) * step.positives / (step.positives + step.negatives);
      before = step.positives;
    }
    result.push_back(before > 0 ? sum / before : missing);
  }
  return result;
}

std::vector<RocCurve> roc_curves(const std::vector<double>& rows, size_t classes, int64_t chosen) {
  if (chosen >= 0) return {curve_of(rows, classes, static_cast<size_t>(chosen))};
  std::vector<RocCurve> result;
  for (size_t c = 0; c < classes; ++c) result.push_back(curve_of(rows, classes, c));
  return result;
}

}  // namespace nnc::runtime
