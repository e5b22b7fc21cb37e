// Metrics of predicted classes: decisions counted (accuracy, confusion, precision …) and scores
// ranked (AUC, ROC).
#include "compiler/layers/activations.h"
#include "compiler/layers/metrics.h"
#include "compiler/layers/rows.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

// Target and predicted class, i32 [b, …].
struct Decision {
  ir::Value* target;
  ir::Value* predicted;
  int64_t classes;
};

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

ir::Value* target_index(const CompareContext& context, const Classes& c) {
  return c.index != nullptr ? c.index : first_largest(context.b, c.weights);
}

Decision decide(const CompareContext& context) {
  if (one_number(context.pair.prediction) || context.pair.labels) return decide_binary(context);
  const Classes c = classes(context);
  return {target_index(context, c), first_largest(context.b, c.scores), c.count};
}

void one_class_per_row(const CompareContext& context, const ir::Value* target) {
  if (row_shape(target).empty()) return;
  throw UserError(context.span, context.kind + " needs one class per row", "a target of shape []",
                  shape_text(row_shape(target)));
}

// [b] -> [b, 1] of the model's dtype
ir::Value* column(const CompareContext& context, ir::Value* value) {
  return reshape_row(context.b, context.b.cast(value, context.dtype), {1});
}

// The argument `class`, or `otherwise`.
int64_t chosen_class(const CompareContext& context, int64_t classes, int64_t otherwise) {
  if (!context.args.has("class")) return otherwise;
  const int64_t chosen = context.args.integer("class");
  if (chosen >= classes) {
    throw UserError(context.args.span("class"), context.kind + ": there is no such class",
                    "0 to " + std::to_string(classes - 1), std::to_string(chosen));
  }
  return chosen;
}

MetricResult accuracy(const CompareContext& context) {
  const Decision d = decide(context);
  ir::Value* right = context.b.cast(context.b.compare("eq", d.target, d.predicted), context.dtype);
  return {one_statistic(context, right)};
}

// The target counts as found if fewer than k classes stand before it: those with a larger score,
// and of equal ones those with a smaller index. A score that is not a number comes last.
MetricResult top_k(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Classes c = classes(context);
  const int64_t k = context.args.integer("k");
  if (k >= c.count) {
    throw UserError(
        context.args.span("k"),
        "top_k: every class is among the first " + std::to_string(k) + ", as there are no more",
        "less than " + std::to_string(c.count) + ", the number of classes", std::to_string(k));
  }
  const int64_t axis = c.scores->type.rank() - 1;
  const ir::Shape& shape = c.scores->type.shape;
  ir::Value* place = positions(b, ir::DType::i32, shape);
  ir::Value* target = repeat_axis(b, target_index(context, c), c.scores, axis);
  ir::Value* is_target = b.compare("eq", place, target);
  ir::Value* own = b.sum(b.select(is_target, c.scores, b.constant_like(0, c.scores)), {axis});
  own = repeat_axis(b, own, c.scores, axis);
  ir::Value* zero = b.constant(0, context.dtype, shape);
  ir::Value* one = b.constant(1, context.dtype, shape);
  ir::Value* equal = b.select(b.compare("ge", place, target), zero, one);
  ir::Value* ahead = b.select(b.compare("eq", c.scores, own), equal, one);
  ahead = b.sum(b.select(b.compare("lt", c.scores, own), zero, ahead), {axis});
  ir::Value* bound = b.constant_like(static_cast<double>(k), ahead);
  return {one_statistic(context, b.cast(b.compare("lt", ahead, bound), context.dtype))};
}

MetricResult counted(const CompareContext& context, abi::Finalize finalize) {
  refuse_labels(context);
  const Decision d = decide(context);
  one_class_per_row(context, d.target);
  ir::Value* pair = context.b.concat({column(context, d.target), column(context, d.predicted)}, 1);
  const int64_t usual = one_number(context.pair.prediction) ? 1 : -1;
  return {pair, finalize, d.classes, chosen_class(context, d.classes, usual)};
}

// One score, the larger the more it speaks for the target: nothing but its order matters.
MetricResult ranked_by_one(const CompareContext& context, abi::Finalize finalize) {
  if (context.args.has("class")) {
    throw UserError(context.args.span("class"),
                    context.kind + " of one score has no classes to choose from",
                    "no `class`, or a score for each class");
  }
  ir::Builder& b = context.b;
  const Numbers n = binary_numbers(context);
  ir::Value* positive = b.compare("gt", n.target, b.constant_like(0.5, n.target));
  return {b.concat({column(context, n.prediction), column(context, positive)}, 1), finalize, 1};
}

MetricResult ranked(const CompareContext& context, abi::Finalize finalize) {
  if (one_number(context.pair.prediction)) return ranked_by_one(context, finalize);
  if (context.args.has("score")) {
    throw UserError(
        context.pair.prediction_span, context.kind + ": the score is one number per row",
        "shape []",
        shape_text(row_shape(context.pair.prediction.value)) +
            (context.pair.prediction.origin.empty() ? ""
                                                    : " (" + context.pair.prediction.origin + ")"));
  }
  ir::Builder& b = context.b;
  const Classes c = classes(context);
  ir::Value* target = target_index(context, c);
  one_class_per_row(context, target);
  // Rows are compared with each other, so that logits must become probabilities first.
  ir::Value* scores = context.pair.form == Form::logits ? softmax(b, c.scores, 1) : c.scores;
  return {b.concat({scores, column(context, target)}, 1), finalize, c.count,
          chosen_class(context, c.count, -1)};
}

// One value of all classes, however they are joined.
MetricResult averaged(const CompareContext& context, abi::Finalize finalize) {
  MetricResult result = counted(context, finalize);
  if (!context.args.has("average")) return result;
  if (context.args.has("class")) {
    throw UserError(context.args.span("average"),
                    context.kind + " of one class has nothing to average", "`class` or `average`");
  }
  const std::string& average = context.args.text("average");
  result.average = average == "micro"      ? abi::Average::micro
                   : average == "weighted" ? abi::Average::weighted
                                           : abi::Average::macro;
  result.chosen = -1;
  return result;
}

MetricDef counting(const std::string& name, const std::string& doc, abi::Finalize finalize) {
  std::vector<Key> keys = pair_keys(all_forms(), false);
  keys.push_back(
      Key("class", schema::integer().at_least(0),
          "this class alone; default: 1 for a single score, else the mean over classes"));
  keys.push_back(Key("average", schema::choice({"macro", "weighted", "micro"}),
                     "over all classes that occur: their mean (macro), weighted by the rows of "
                     "each, or the ratio of all counts together (micro, which is the accuracy)"));
  return {.entry = Entry{.name = name,
                         .doc = doc + " For a single score that of class 1, else the mean over all "
                                      "classes that occur; `nnc eval` shows each class.",
                         .example = "metrics: [" + name + ", {" + name + ": {average: weighted}}]",
                         .keys = std::move(keys)},
          .build = [finalize](const CompareContext& c) { return averaged(c, finalize); },
          .more_is_better = true};
}

// A count of decisions that has no classes to choose from.
MetricDef counting_all(const std::string& name, const std::string& doc, const std::string& source,
                       abi::Finalize finalize) {
  return {.entry = Entry{.name = name,
                         .doc = doc,
                         .source = source,
                         .example = "metrics: [" + name + "]",
                         .keys = pair_keys(all_forms(), false)},
          .build =
              [finalize](const CompareContext& c) {
                MetricResult result = counted(c, finalize);
                result.chosen = -1;
                return result;
              },
          .more_is_better = true};
}

// -log(1e-15): what a certain and wrong prediction costs at most.
constexpr double largest_log_loss = 34.538776394910684;

// -max(log p, -34.5) of the probability p that was given to what is right.
MetricResult log_loss(const CompareContext& context) {
  ir::Builder& b = context.b;
  const bool logits = context.pair.form == Form::logits;
  if (context.pair.form == Form::number) {
    throw UserError(context.span, "log_loss compares probabilities or logits with classes",
                    "log_loss: {probability: …, target: …}", "numbers");
  }
  const auto bounded = [&](ir::Value* log) {
    return b.binary("max", b.constant_like(-largest_log_loss, log), log);
  };
  if (one_number(context.pair.prediction) || context.pair.labels) {
    const Numbers n = binary_numbers(context);
    ir::Value* one = b.constant_like(1, n.prediction);
    ir::Value* yes = logits ? log_sigmoid(b, n.prediction) : b.unary("log", n.prediction);
    ir::Value* no =
        logits ? log_sigmoid(b, b.neg(n.prediction)) : b.unary("log", b.sub(one, n.prediction));
    ir::Value* sum = b.add(b.mul(n.target, bounded(yes)), b.mul(b.sub(one, n.target), bounded(no)));
    return {one_statistic(context, b.neg(sum))};
  }
  const Classes c = classes(context);
  const int64_t axis = c.scores->type.rank() - 1;
  ir::Value* log = bounded(logits ? log_softmax(b, c.scores, axis) : b.unary("log", c.scores));
  ir::Value* picked = nullptr;
  if (c.index != nullptr) {
    ir::Value* is_target = b.compare("eq", positions(b, ir::DType::i32, log->type.shape),
                                     repeat_axis(b, c.index, log, axis));
    picked = b.select(is_target, log, b.constant_like(0, log));
  } else {
    picked = b.mul(c.weights, log);
  }
  return {one_statistic(context, b.neg(b.sum(picked, {axis})))};
}

std::vector<Key> ranking_keys() {
  std::vector<Key> keys = pair_keys(all_forms(), false);
  keys.push_back(
      Key("class", schema::integer().at_least(0), "this class against all others alone"));
  keys.push_back(Key("score", schema::reference(),
                     "instead of a pair: one number per row, the larger the more positive"));
  keys.push_back(Key("positive", schema::formula(), "with `score`: which rows are positive"));
  return keys;
}

const char* const accuracy_doc =
    "Share of rows whose predicted class is the target: the class with the largest score, or for a "
    "single score whether it is above one half (above 0 for logits); of several labels, each with "
    "a score of its own (binary_cross_entropy), the share that is right. Without names: what the "
    "loss compares.";

std::vector<MetricDef> decision_metrics() {
  using abi::Finalize;
  return {
      {.entry = Entry{.name = "accuracy",
                      .doc = accuracy_doc,
                      .example = "metrics: [accuracy]",
                      .keys = pair_keys(all_forms(), false)},
       .build = accuracy,
       .more_is_better = true},
      {.entry =
           [] {
             std::vector<Key> keys = pair_keys(all_forms(), false);
             keys.push_back(
                 Key("k", schema::integer().at_least(1), "how many classes are looked at")
                     .by_default("5"));
             return Entry{.name = "top_k",
                          .doc =
                              "Share of rows whose target is among the k classes with the largest "
                              "scores; of equal scores the first counts as larger. Reported as "
                              "top_5 for k = 5.",
                          .example = "metrics: [{top_k: 5}]",
                          .principal = "k",
                          .keys = std::move(keys)};
           }(),
       .build = top_k,
       .more_is_better = true},
      {Entry{.name = "confusion",
             .doc = "How many rows of each class were taken for each class: [target][predicted].",
             .example = "metrics: [accuracy, confusion]",
             .keys = pair_keys(all_forms(), false)},
       [](const CompareContext& c) { return counted(c, Finalize::confusion); }},
      counting("precision", "Of the rows taken for a class, the share that belongs to it.",
               Finalize::precision),
      counting("recall", "Of the rows of a class, the share that was taken for it.",
               Finalize::recall),
      counting("f1", "2 · precision · recall / (precision + recall).", Finalize::f1),
      counting_all("balanced_accuracy",
                   "Mean over the classes that occur as target of the share of its rows that was "
                   "taken for it: what accuracy would be if all classes were equally frequent.",
                   "", Finalize::balanced_accuracy),
      counting_all("mcc",
                   "Matthews' correlation of target and predicted class: 1 where all are right, 0 "
                   "for chance. 0 where one of the two is always the same class.",
                   "Matthews 1975; Gorodkin, Comparing two K-category assignments, 2004",
                   Finalize::mcc),
      {.entry = Entry{.name = "log_loss",
                      .doc = "Mean of -log p, p the probability that was given to the target: the "
                             "cross entropy, at most 34.5 (p = 1e-15) for each row.",
                      .source = "Good, Rational decisions, 1952",
                      .example = "metrics: [log_loss]",
                      .keys = pair_keys({"logits", "probability"}, false)},
       .build = log_loss},
  };
}

std::vector<MetricDef> ranking_metrics() {
  using abi::Finalize;
  return {
      {.entry = Entry{.name = "auc",
                      .doc = "Area under the ROC curve: how probable it is that a row of a class "
                             "gets a larger score than another row, equal scores counting half. "
                             "For several classes each against all others, and their mean.",
                      .source = "Fawcett, An introduction to ROC analysis, 2006",
                      .example = "metrics: [{auc: {score: score, positive: \"label == 9\"}}]",
                      .keys = ranking_keys()},
       .build = [](const CompareContext& c) { return ranked(c, Finalize::auc); },
       .more_is_better = true},
      {.entry = Entry{.name = "average_precision",
                      .doc = "Σ (R_n - R_{n-1}) · P_n over all thresholds, from the largest score "
                             "down: the area under the curve of precision over recall. For several "
                             "classes each against all others, and their mean.",
                      .source = "Davis, Goadrich, The relationship between precision-recall and "
                                "ROC curves, ICML 2006",
                      .example = "metrics: [average_precision]",
                      .keys = ranking_keys()},
       .build = [](const CompareContext& c) { return ranked(c, Finalize::average_precision); },
       .more_is_better = true},
      {.entry = Entry{.name = "roc",
                      .doc = "The ROC curve: false and true positive rate for every threshold that "
                             "bends it. `nnc eval --json` prints the points.",
                      .source = "Fawcett, An introduction to ROC analysis, 2006",
                      .example = "metrics: [{roc: {score: score, positive: \"label == 9\"}}]",
                      .keys = ranking_keys()},
       .build = [](const CompareContext& c) { return ranked(c, Finalize::roc); },
       .while_training = false},
  };
}

}  // namespace

std::vector<MetricDef> class_metrics() {
  std::vector<MetricDef> all = decision_metrics();
  for (MetricDef& def : ranking_metrics()) all.push_back(std::move(def));
  return all;
}

}  // namespace nnc::layers
