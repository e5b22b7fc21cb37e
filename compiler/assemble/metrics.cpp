// Metrics and what they compare: what they name, or else the one pair that the loss compares.
#include <algorithm>

#include "compiler/assemble/forward_builder.h"
#include "compiler/layers/metrics.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"

namespace nnc::assemble {

// What `positive` speaks of: an index is that of the row itself, even where mixup has made shares
// of classes of it.
class OwnLabels : public layers::Scope {
 public:
  explicit OwnLabels(ForwardBuilder& outer) : outer_(outer) {}
  layers::Operand find(const std::string& name, const SourceSpan& span) override {
    for (const FieldInfo& info : outer_.fields_) {
      if (info.name == name && stays_index(info)) return outer_.raw_operand(info);
    }
    return outer_.find(name, span);
  }

 private:
  bool stays_index(const FieldInfo& info) const {
    const Field* field =
        outer_.description_.data ? outer_.description_.data->field(info.name) : nullptr;
    if (info.classes == 0 || outer_.mode_ != Mode::train || field == nullptr) return false;
    return std::none_of(field->prepare.begin(), field->prepare.end(),
                        [](const Choice& step) { return step.kind == "one_hot"; });
  }

  ForwardBuilder& outer_;
};

// {score: NAME, positive: FORMULA}: a score and whether the row is what it looks for.
layers::Pair ForwardBuilder::scored_pair(const Metric& metric) {
  const Args& args = metric.choice.args;
  const std::string& kind = metric.choice.kind;
  if (!args.has("score") || !args.has("positive") || layers::names_pair(args)) {
    const bool both = args.has("score") && args.has("positive");
    throw UserError(metric.choice.span, kind + " compares a score with what counts as positive",
                    kind + ": {score: distance, positive: \"label == 9\"}",
                    both ? "a prediction or target beside them"
                         : (args.has("score") ? "score alone" : "positive alone"));
  }
  const Name& score = args.reference("score");
  const Formula& positive = args.formula("positive");
  layers::Pair pair;
  pair.prediction = find(score.text, score.span);
  pair.prediction_span = score.span;
  OwnLabels labels(*this);
  pair.target = {each_row(formula(positive, labels, "metrics." + metric.name)), "positive"};
  pair.target_span = positive.span;
  const std::vector<int64_t> row = layers::row_shape(pair.target.value);
  if (!layers::one_number(pair.target)) {
    throw UserError(positive.span, kind + ": `positive` is one condition per row", "shape []",
                    layers::shape_text(row));
  }
  return pair;
}

layers::Pair ForwardBuilder::pair_of(const Metric& metric) {
  const Args& args = metric.choice.args;
  if (args.has("score") || args.has("positive")) return scored_pair(metric);
  if (layers::names_pair(args)) return layers::named_pair(metric.choice.kind, args, *this);
  std::vector<TermPair> candidates;
  for (const TermPair& candidate : pairs_) {
    const bool known =
        std::any_of(candidates.begin(), candidates.end(), [&](const TermPair& other) {
          return other.pair.prediction.value == candidate.pair.prediction.value &&
                 other.pair.target.value == candidate.pair.target.value;
        });
    if (!known) candidates.push_back(candidate);
  }
  if (candidates.size() == 1) {
    layers::Pair pair = candidates[0].pair;
    pair.labels = candidates[0].term->loss->kind == "binary_cross_entropy" &&
                  !layers::one_number(pair.prediction);
    return pair;
  }
  // A built-in term that failed was reported; what it compares is not known.
  const bool some_failed = description_.loss && terms_.size() < description_.loss->terms.size();
  if (candidates.empty() && some_failed) throw AlreadyReported{};
  std::vector<std::string> names;
  for (const TermPair& candidate : candidates)
    names.push_back("'" + candidate.term->name.text + "'");
  throw UserError(metric.choice.span,
                  metric.choice.kind + ": it is not clear what it should compare",
                  metric.choice.kind + ": {prediction: …, target: …}",
                  candidates.empty() ? "no loss term that compares two values"
                                     : "several loss terms: " + join(names));
}

void ForwardBuilder::build_metric(const Metric& metric) {
  const layers::MetricDef* def = layers::find_metric(metric.choice.kind);
  internal_check(def != nullptr, "metric " + metric.choice.kind + " passed the schema");
  if (mode_ == Mode::train && !def->while_training) return;
  layers::Pair pair = pair_of(metric);
  if (!layers::names_pair(metric.choice.args) && !metric.choice.args.has("score")) {
    pair.prediction_span = pair.target_span = metric.choice.span;
  }
  b_.set_span(metric.choice.span);
  const ir::DType dtype = def->own_units ? to_own_units(pair) : dtype_;
  const layers::MetricResult result =
      def->build({b_, dtype, metric.choice.kind, metric.choice.span, metric.choice.args, pair});
  forward_.graph->add_output("metric." + metric.name, result.statistics);
  forward_.metrics.push_back({.name = metric.name,
                              .finalize = result.finalize,
                              .classes = result.classes,
                              .chosen = result.chosen,
                              .more_is_better = def->more_is_better,
                              .average = result.average});
}

}  // namespace nnc::assemble
