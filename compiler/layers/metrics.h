// Metrics: what an evaluation reports. Each gives statistics per row, which the runtime joins into
// one number or table.
#pragma once

#include <functional>
#include <vector>

#include "compiler/layers/compare.h"

namespace nnc::layers {

struct MetricResult {
  ir::Value* statistics = nullptr;  // [b, k], of the model's dtype
  abi::Finalize finalize = abi::Finalize::mean;
  int64_t classes = 0;
  int64_t chosen = -1;  // one class against all others; -1: all classes
  abi::Average average = abi::Average::macro;
};

struct MetricDef {
  schema::Entry entry;
  std::function<MetricResult(const CompareContext&)> build;
  bool more_is_better = false;
  bool while_training = true;  // false: only where rows are evaluated (curves)
  bool own_units = false;      // compares in the units of the data, not prepared values
};

const std::vector<MetricDef>& metric_table();
const MetricDef* find_metric(const std::string& name);  // null if unknown

// ---- the parts of the table, one file each

std::vector<MetricDef> class_metrics();    // class_metrics.cpp
std::vector<MetricDef> picture_metrics();  // picture_metrics.cpp

// [b, …] -> [b, 1], the mean of the elements: the statistic of most metrics.
ir::Value* one_statistic(const CompareContext& context, ir::Value* value);
// The forms of a prediction that stands for classes or for numbers in [0, 1].
const std::vector<std::string>& all_forms();
// Whether the operand is one number per row: shape [] or [1].
bool one_number(const Operand& operand);

}  // namespace nnc::layers
