// What `prepare` learns from the training rows.
#pragma once

#include "runtime/data/spec.h"

namespace nnc::runtime {

// Statistics of one learning step (standardize, minmax, impute) of one field: one number for each
// entry of the last axis, of the values that enter the step.
struct FittedStep {
  std::string field;
  int step = 0;                                // position in FieldSpec::prepare
  std::vector<double> mean, stddev, min, max;  // mean of impute: what it puts in

  // By name: mean, stddev, min, max. Throws std::invalid_argument.
  const std::vector<double>& statistic(const std::string& name) const;
  std::vector<double>& statistic(const std::string& name);
};

// Fits every learning step over the training rows, in f64, in row order, each after the steps
// before it. Throws DataError for a constant column under standardize or minmax and for a missing
// value without impute.
std::vector<FittedStep> fit(const DataSpec& spec, const Split& train);

// Whether f32 is too coarse for the raw numbers of a field: rounding them would be seen in what a
// learning step makes of them (unix seconds of one day, say).
bool needs_f64(const std::vector<FittedStep>& fitted, const std::string& field);

}  // namespace nnc::runtime
