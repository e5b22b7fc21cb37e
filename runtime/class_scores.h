// Metrics of classes that are not means over rows: ratios of counts, and what the ranking of all
// rows by a score is worth.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/abi.h"

namespace nnc::runtime {

// precision, recall or f1 of each class from counts[target][predicted], classes × classes. A class
// that is neither target nor prediction has NaN; otherwise 0/0 counts as 0.
std::vector<double> count_ratios(std::span<const double> counts, size_t classes,
                                 abi::Finalize which);

// All rows that were taken for a class of the classes that occur, joined into one ratio: what is
// right of them. NaN without rows.
double micro_ratio(std::span<const double> counts, size_t classes);
// The mean of `values`, weighted by the rows of each class; NaN without rows.
double weighted_by_class(const std::vector<double>& values, std::span<const double> counts,
                         size_t classes);
// Mean of right / all over the classes that have rows.
double balanced_accuracy(std::span<const double> counts, size_t classes);
// Matthews' correlation coefficient; 0 where target or prediction is always the same class.
// Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004.
double matthews_correlation(std::span<const double> counts, size_t classes);

// The points of an ROC curve from (0, 0) to (1, 1): a row is taken for positive when its score is
// at least the threshold (infinite at the first point). Points on a straight line between their
// neighbours are left out. Without rows of both kinds, or with a score that is not a number, there
// are no points.
struct RocCurve {
  std::vector<double> threshold, false_positive_rate, true_positive_rate;
};

// `rows` holds classes + 1 numbers of each row: a score for each class and the target index; with
// classes = 1 one score, then 1 for positive or 0. Equal scores share a step (trapezoids), so that
// the order of the rows does not matter. The areas are sums of exact integers below 2^53, divided
// once. NaN where the curve has no points.
// Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006.
std::vector<double> areas_under_roc(const std::vector<double>& rows, size_t classes);
// Σ (R_n - R_{n-1}) P_n over the steps of the same ranking; NaN without a positive row.
std::vector<double> average_precisions(const std::vector<double>& rows, size_t classes);
// One curve for each class, or only that of class `chosen` (>= 0).
std::vector<RocCurve> roc_curves(const std::vector<double>& rows, size_t classes, int64_t chosen);

}  // namespace nnc::runtime
