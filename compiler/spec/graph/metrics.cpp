// Metrics and what they compare: what they name, or else the one pair that the loss compares.
#include <algorithm>

#include "compiler/layers/metrics.h"
#include "compiler/spec/graph/forward_builder.h"
#include "compiler/support/text.h"

namespace nnc::spec {

layers::Pair ForwardBuilder::pair_of(const Metric& metric) {
  const Args& args = metric.choice.args;
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
  if (candidates.size() == 1) return candidates[0].pair;
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
  layers::Pair pair = pair_of(metric);
  if (!layers::names_pair(metric.choice.args)) {
    pair.prediction_span = pair.target_span = metric.choice.span;
  }
  b_.set_span(metric.choice.span);
  const layers::MetricResult result =
      def->build({b_, dtype_, metric.choice.kind, metric.choice.span, metric.choice.args, pair});
  forward_.graph->add_output("metric." + metric.name, result.statistics);
  forward_.metrics.push_back({metric.name, result.finalize, result.classes});
}

}  // namespace nnc::spec
