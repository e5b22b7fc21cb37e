#include "compiler/layers/metrics.h"

#include "compiler/layers/rows.h"

namespace nnc::layers {

namespace {

using schema::Entry;

MetricResult mean_absolute(const CompareContext& context) {
  const Numbers n = numbers(context);
  ir::Value* difference = context.b.sub(n.prediction, n.target);
  return {one_statistic(context, context.b.unary("abs", difference))};
}

MetricResult root_mean_square(const CompareContext& context) {
  const Numbers n = numbers(context);
  ir::Value* difference = context.b.sub(n.prediction, n.target);
  return {one_statistic(context, context.b.mul(difference, difference)), abi::Finalize::root_mean};
}

MetricResult r2(const CompareContext& context) {
  const Numbers n = numbers(context);
  ir::Builder& b = context.b;
  const int64_t count = elements(row_shape(n.prediction));
  return {b.concat({reshape_row(b, n.prediction, {count}), reshape_row(b, n.target, {count})}, 1),
          abi::Finalize::r2, count};
}

std::vector<MetricDef> number_metrics() {
  return {
      {.entry = Entry{.name = "mae",
                      .doc = "Mean of |prediction - target|, in the target's own units.",
                      .example = "metrics: [{mae: {prediction: y_hat, target: y}}]",
                      .keys = pair_keys({"prediction"}, false)},
       .build = mean_absolute,
       .own_units = true},
      {.entry = Entry{.name = "rmse",
                      .doc = "√ of the mean of (prediction - target)², in the target's own units.",
                      .example = "metrics: [rmse]",
                      .keys = pair_keys({"prediction"}, false)},
       .build = root_mean_square,
       .own_units = true},
      {.entry = Entry{.name = "r2",
                      .doc = "1 - Σ(target - prediction)² / Σ(target - mean target)²: the share of "
                             "the target's variance that is explained. Of several numbers per row "
                             "the mean over those that vary.",
                      .example = "metrics: [r2]",
                      .keys = pair_keys({"prediction"}, false)},
       .build = r2,
       .more_is_better = true,
       .own_units = true},
  };
}

std::vector<MetricDef> make_metrics() {
  std::vector<MetricDef> table = class_metrics();
  for (auto part : {number_metrics, picture_metrics}) {
    for (MetricDef& def : part()) table.push_back(std::move(def));
  }
  return table;
}

}  // namespace

ir::Value* one_statistic(const CompareContext& context, ir::Value* value) {
  ir::Value* row = mean(context.b, value, all_row_axes(value));
  return reshape_row(context.b, row, {1});
}

const std::vector<std::string>& all_forms() {
  static const std::vector<std::string> forms{"logits", "probability", "prediction"};
  return forms;
}

bool one_number(const Operand& operand) {
  const std::vector<int64_t> row = row_shape(operand.value);
  return row.empty() || row == std::vector<int64_t>{1};
}

const std::vector<MetricDef>& metric_table() {
  static const std::vector<MetricDef> table = make_metrics();
  return table;
}

const MetricDef* find_metric(const std::string& name) {
  for (const MetricDef& def : metric_table()) {
    if (def.entry.name == name) return &def;
  }
  return nullptr;
}

}  // namespace nnc::layers
