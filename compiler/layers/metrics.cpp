#include "compiler/layers/metrics.h"

#include "compiler/layers/rows.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

// [b, …] -> [b, 1], the mean of the elements.
ir::Value* one_statistic(const CompareContext& context, ir::Value* value) {
  ir::Value* row = mean(context.b, value, all_row_axes(value));
  return reshape_row(context.b, row, {1});
}

// [b] and [b] -> [b, 2]
ir::Value* two_statistics(const CompareContext& context, ir::Value* first, ir::Value* second) {
  ir::Builder& b = context.b;
  return b.concat({reshape_row(b, b.cast(first, context.dtype), {1}),
                   reshape_row(b, b.cast(second, context.dtype), {1})},
                  1);
}

// Target and predicted class, i32 [b, …].
struct Decision {
  ir::Value* target;
  ir::Value* predicted;
  int64_t classes;
};

bool one_number(const Operand& operand) {
  const std::vector<int64_t> row = row_shape(operand.value);
  return row.empty() || row == std::vector<int64_t>{1};
}

// One score decides between two classes at 0 (logits) or at one half.
Decision decide_binary(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Numbers n = binary_numbers(context);
  const double half = context.pair.form == Form::logits ? 0 : 0.5;
  const auto above = [&](ir::Value* value, double bound) {
    return b.cast(b.compare("gt", value, b.constant_like(bound, value)), ir::DType::i32);
  };
  return {above(n.target, 0.5), above(n.prediction, half), 2};
}

Decision decide(const CompareContext& context) {
  if (one_number(context.pair.prediction)) return decide_binary(context);
  const Classes c = classes(context);
  ir::Value* target = c.index != nullptr ? c.index : first_largest(context.b, c.weights);
  return {target, first_largest(context.b, c.scores), c.count};
}

MetricResult accuracy(const CompareContext& context) {
  const Decision d = decide(context);
  ir::Value* right = context.b.cast(context.b.compare("eq", d.target, d.predicted), context.dtype);
  return {one_statistic(context, right)};
}

MetricResult confusion(const CompareContext& context) {
  const Decision d = decide(context);
  if (!row_shape(d.target).empty()) {
    throw UserError(context.span, "confusion needs one class per row", "a target of shape []",
                    shape_text(row_shape(d.target)));
  }
  return {two_statistics(context, d.target, d.predicted), abi::Finalize::confusion, d.classes};
}

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
  if (!row_shape(n.prediction).empty()) {
    throw UserError(context.span, "r2 compares one number per row", "a prediction of shape []",
                    shape_text(row_shape(n.prediction)));
  }
  return {two_statistics(context, n.prediction, n.target), abi::Finalize::r2};
}

const std::vector<std::string> all_forms{"logits", "probability", "prediction"};

std::vector<MetricDef> make_metrics() {
  return {
      {Entry{.name = "accuracy",
             .doc = "Share of rows whose predicted class is the target: the class with the largest "
                    "score, or for a single score whether it is above one half (above 0 for "
                    "logits). Without names: what the loss compares.",
             .example = "metrics: [accuracy]",
             .keys = pair_keys(all_forms, false)},
       accuracy},
      {Entry{.name = "mae",
             .doc = "Mean of |prediction - target|.",
             .example = "metrics: [{mae: {prediction: y_hat, target: y}}]",
             .keys = pair_keys({"prediction"}, false)},
       mean_absolute},
      {Entry{.name = "rmse",
             .doc = "√ of the mean of (prediction - target)².",
             .example = "metrics: [rmse]",
             .keys = pair_keys({"prediction"}, false)},
       root_mean_square},
      {Entry{.name = "r2",
             .doc = "1 - Σ(target - prediction)² / Σ(target - mean target)²: the share of the "
                    "target's variance that is explained.",
             .example = "metrics: [r2]",
             .keys = pair_keys({"prediction"}, false)},
       r2},
      {Entry{.name = "confusion",
             .doc = "How many rows of each class were taken for each class: [target][predicted].",
             .example = "metrics: [accuracy, confusion]",
             .keys = pair_keys(all_forms, false)},
       confusion},
  };
}

}  // namespace

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
