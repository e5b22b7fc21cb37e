// Loss, metrics and training.
#include <algorithm>
#include <map>

#include "compiler/language/describe.h"
#include "compiler/language/ramp.h"
#include "compiler/language/synonyms.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

Choice choice_of(const Value& value) {
  const EntryValue& entry = value.entry();
  return Choice{entry.kind.text, *entry.args, entry.kind.span};
}

// A built-in loss and the weight beside it.
void set_loss(const Value& value, Term& term, Diagnostics& diagnostics) {
  term.loss = choice_of(value);
  const Value* weight = get(value.entry().siblings->values(), "weight");
  if (weight == nullptr) return;
  if (weight->is_formula()) {
    term.weight = weight->formula();
    return;
  }
  const Value* map = get(weight->map(), "ramp");
  const auto ramp = map != nullptr ? ramp_of(map->map(), map->span, diagnostics) : std::nullopt;
  if (!ramp) return;
  const ExpressionPtr call = ramp_call(*ramp, weight->span);
  term.weight = Formula{to_string(*call), weight->span, call};
}

void add_terms(const MapValue& terms, Draft& draft, Loss& loss, Diagnostics& diagnostics) {
  for (const auto& [name, value] : terms) {
    Term term;
    term.name = name;
    if (value.is_formula()) {
      term.formula = value.formula();
    } else if (value.is_entry()) {
      set_loss(value, term, diagnostics);
    } else {
      draft.terms_complete = false;
    }
    loss.terms.push_back(std::move(term));
  }
}

// What `watch` may name, without the split.
std::vector<std::string> watchable(const Description& description) {
  std::vector<std::string> result;
  const bool phases = description.train && !description.train->phases.empty();
  if (!phases || description.loss->total) result.push_back("loss");
  for (const Term& term : description.loss->terms) {
    if (description.loss->terms.size() > 1 || phases) result.push_back(term.name.text);
  }
  for (const Metric& metric : description.metrics) {
    // A table and a curve are no numbers.
    if (metric.choice.kind == "confusion" || metric.choice.kind == "roc") continue;
    result.push_back(metric.name);
  }
  return result;
}

void check_watch(const EarlyStop& stop, const Draft& draft, Diagnostics& diagnostics) {
  const Description& description = draft.description;
  if (!description.loss || !draft.terms_complete || draft.has_errors) return;
  const std::string& watch = stop.watch.value;
  const size_t dot = watch.find('.');
  const std::string split = watch.substr(0, dot);
  const std::string what = dot == std::string::npos ? "" : watch.substr(dot + 1);
  if (split != "train" && split != "valid") {
    diagnostics.error(stop.watch.span, "'watch' begins with the split",
                      "valid. or train. and a name, such as valid.loss", watch);
    return;
  }
  const std::vector<std::string> known = watchable(description);
  if (std::find(known.begin(), known.end(), what) == known.end()) {
    const auto near = meant(what, known);
    std::vector<std::string> with_split;
    for (const std::string& name : known) with_split.push_back(split + "." + name);
    diagnostics.error(stop.watch.span,
                      "there is no loss or metric " + in_quotes(what) + " to watch" +
                          (near ? "; did you mean " + in_quotes(split + "." + *near) + "?" : ""),
                      join(with_split, "or"));
  }
  const bool has_split = description.data && description.data->split(split) != nullptr;
  if (draft.fields_complete && !has_split) {
    diagnostics.error(stop.watch.span, "there is no " + split + " split to watch",
                      split + ": a source or a fraction, under data");
  }
}

Clip clip_of(const Value& value) {
  Clip clip;
  if (const Value* norm = get(value.map(), "norm")) clip.norm = {norm->number(), norm->span};
  if (const Value* each = get(value.map(), "value")) clip.value = {each->number(), each->span};
  return clip;
}

class TrainDescriber {
 public:
  TrainDescriber(const MapValue& map, Draft& draft, Diagnostics& diagnostics)
      : map_(map), draft_(draft), train_(*draft.description.train), diagnostics_(diagnostics) {}

  void run() {
    length();
    const Value* batch = get(map_, "batch");
    if (batch != nullptr) {
      train_.batch.span = batch->span;
      train_.batch.all = batch->is_text();
      if (batch->is_integer()) train_.batch.rows = batch->integer();
    }
    if (const Value* optimizer = get(map_, "optimizer")) train_.optimizer = choice_of(*optimizer);
    if (const Value* schedule = get(map_, "schedule")) train_.schedule = choice_of(*schedule);
    if (const Value* clip = get(map_, "clip")) train_.clip = clip_of(*clip);
    phases();
    if (const Value* stop = get(map_, "early_stop")) early_stop(*stop);
    keep();
    if (const Value* shuffle = get(map_, "shuffle"))
      train_.shuffle = {shuffle->boolean(), shuffle->span};
    if (const Value* seed = get(map_, "seed")) train_.seed = {seed->integer(), seed->span};
    needs();
  }

 private:
  void length() {
    if (const Value* epochs = get(map_, "epochs"))
      train_.epochs = {epochs->integer(), epochs->span};
    if (const Value* steps = get(map_, "steps")) train_.steps = {steps->integer(), steps->span};
    const bool has_epochs = stands(map_, "epochs"), has_steps = stands(map_, "steps");
    if (has_epochs && has_steps) {
      diagnostics_.error(span_of(map_, "steps", train_.span), "training has 'epochs' and 'steps'",
                         "one of them");
    } else if (!has_epochs && !has_steps) {
      diagnostics_.error(train_.span, "train needs 'epochs' or 'steps'", "epochs: 10");
    }
  }

  void early_stop(const Value& value) {
    EarlyStop stop;
    const MapValue& map = value.map();
    if (const Value* watch = get(map, "watch")) {
      stop.watch = {watch->text(), watch->given ? watch->span : value.span};
      if (watch->is_reference() && watch->given) stop.watch.span = watch->reference().span;
    }
    if (const Value* patience = get(map, "patience")) {
      stop.patience = {patience->integer(), patience->span};
    }
    if (const Value* delta = get(map, "min_delta")) stop.min_delta = delta->number();
    if (!stop.watch.value.empty()) check_watch(stop, draft_, diagnostics_);
    train_.early_stop = stop;
  }

  void phases() {
    if (const Value* phases = get(map_, "phases")) {
      for (const Value& value : phases->list())
        if (value.is_map()) phase(value);
      for (const char* key : {"optimizer", "schedule", "clip"}) {
        if (!stands(map_, key)) continue;
        diagnostics_.error(span_of(map_, key, train_.span),
                           in_quotes(key) + " stands in each phase, not beside 'phases'",
                           "phases: [{minimize: …, optimizer: …}, …]");
      }
    } else if (!stands(map_, "optimizer") && !stands(map_, "phases")) {
      diagnostics_.error(train_.span, "train needs 'optimizer'",
                         "optimizer: an optimizer, or phases with one in each");
    }
  }

  void phase(const Value& value) {
    const MapValue& map = value.map();
    const Value* minimize = get(map, "minimize");
    const Value* optimizer = get(map, "optimizer");
    if (minimize == nullptr || optimizer == nullptr || !optimizer->is_entry()) return;
    Phase phase;
    phase.span = value.span;
    phase.minimize = minimize->formula();
    phase.optimizer = choice_of(*optimizer);
    if (const Value* update = get(map, "update"))
      for (const Value& name : update->list())
        if (name.is_reference()) phase.update.push_back(name.reference());
    if (const Value* steps = get(map, "steps")) phase.steps = {steps->integer(), steps->span};
    if (const Value* schedule = get(map, "schedule")) phase.schedule = choice_of(*schedule);
    if (const Value* clip = get(map, "clip")) phase.clip = clip_of(*clip);
    phase.name = phase_name(*phase.minimize.root);
    train_.phases.push_back(std::move(phase));
  }

  // The first term that it minimises; numbered where several phases minimise it.
  std::string phase_name(const Expression& minimize) {
    const std::vector<Name> names = names_in(minimize);
    const std::string term = names.empty() ? "phase" : names[0].text;
    const std::string base = is_identifier(term) ? term : "phase";
    const int count = ++phase_names_[base];
    return count == 1 ? base : base + "_" + std::to_string(count);
  }

  bool has_valid() const {
    const Description& description = draft_.description;
    return description.data && description.data->split("valid") != nullptr;
  }

  void keep() {
    const bool judged = train_.phases.empty() && has_valid();
    train_.keep = {judged || train_.early_stop ? Keep::best : Keep::last, train_.span};
    const Value* keep = get(map_, "keep");
    if (keep == nullptr) return;
    train_.keep = {keep->text() == "best" ? Keep::best : Keep::last, keep->span};
    if (train_.keep.value == Keep::best && !has_valid() && !train_.early_stop &&
        draft_.fields_complete) {
      diagnostics_.error(keep->span, "nothing says which weights are best",
                         "a valid split under data, or early_stop");
    }
  }

  void needs() {
    const Description& description = draft_.description;
    if (!description.loss) {
      diagnostics_.error(train_.span, "training needs a loss", "loss: beside train:");
    }
    const bool has_rows = description.data && description.data->split("train") != nullptr;
    if (!has_rows && draft_.fields_complete) {
      diagnostics_.error(train_.span, "training needs rows", "data: with a train source");
    }
  }

  const MapValue& map_;
  Draft& draft_;
  Train& train_;
  Diagnostics& diagnostics_;
  std::map<std::string, int> phase_names_;
};

}  // namespace

void describe_loss(const Value& value, Draft& draft, Diagnostics& diagnostics) {
  Loss loss;
  loss.span = value.span;
  const MapValue* beside = nullptr;
  if (value.is_entry()) {
    Term term;
    term.name = value.entry().kind;
    set_loss(value, term, diagnostics);
    loss.terms.push_back(std::move(term));
    beside = &value.entry().siblings->values();
  } else {
    beside = &value.map();
    const Value* terms = get(*beside, "terms");
    if (terms != nullptr) add_terms(terms->map(), draft, loss, diagnostics);
    if (terms == nullptr) draft.terms_complete = false;
    if (terms != nullptr && terms->map().empty()) {
      diagnostics.error(terms->span, "the loss has no terms", "at least one name and its loss");
    }
    if (const Value* total = get(*beside, "total")) loss.total = total->formula();
  }
  if (const Value* rows = get(*beside, "rows")) {
    loss.rows = rows->text() == "sum" ? Rows::sum : Rows::mean;
  }
  if (const Value* penalty = get(*beside, "penalty")) loss.penalty = penalty_of(*penalty);
  draft.description.loss = std::move(loss);
}

void describe_metrics(const ListValue& metrics, Draft& draft, Diagnostics&) {
  std::map<std::string, int> counts;
  for (const Value& value : metrics) {
    if (!value.is_entry()) continue;
    Metric metric;
    metric.choice = choice_of(value);
    metric.name = metric.choice.kind;
    if (metric.name == "top_k") {  // top_5
      if (const Value* k = metric.choice.args.find("k"); k != nullptr && k->is_integer()) {
        metric.name = "top_" + std::to_string(k->integer());
      }
    }
    if (const Value* c = metric.choice.args.find("class"); c != nullptr && c->is_integer()) {
      metric.name += "_class_" + std::to_string(c->integer());  // recall_class_2
    }
    if (const Value* average = metric.choice.args.find("average"); average && average->is_text())
      metric.name += "_" + average->text();  // f1_weighted
    const int count = ++counts[metric.name];
    if (count > 1) metric.name += "_" + std::to_string(count);
    draft.description.metrics.push_back(std::move(metric));
  }
}

void describe_train(const MapValue& train, Draft& draft, Diagnostics& diagnostics) {
  TrainDescriber(train, draft, diagnostics).run();
}

}  // namespace nnc::language
