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
};

struct MetricDef {
  schema::Entry entry;
  std::function<MetricResult(const CompareContext&)> build;
};

const std::vector<MetricDef>& metric_table();
const MetricDef* find_metric(const std::string& name);  // null if unknown

}  // namespace nnc::layers
