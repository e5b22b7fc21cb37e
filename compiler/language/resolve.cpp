#include "compiler/language/resolve.h"

#include <fmt/format.h>

#include "compiler/language/file_schema.h"
#include "compiler/language/ramp.h"
#include "compiler/language/yaml_text.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

// {a, b: c} of the parts that are not empty.
std::string braces(const std::vector<std::string>& parts) {
  std::string result;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    result += (result.empty() ? "" : ", ") + part;
  }
  return "{" + result + "}";
}

std::string brackets(const std::vector<std::string>& items) {
  std::string result;
  for (const std::string& item : items) result += (result.empty() ? "" : ", ") + item;
  return "[" + result + "]";
}

std::string names_text(const std::vector<Name>& names) {
  std::vector<std::string> items;
  for (const Name& name : names) items.push_back(name.text);
  return brackets(items);
}

std::string extents_text(const std::vector<int64_t>& shape) {
  std::vector<std::string> items;
  for (const int64_t extent : shape) items.push_back(std::to_string(extent));
  return brackets(items);
}

class Writer {
 public:
  Writer(const Description& description, bool everything)
      : d_(description), everything_(everything) {}

  std::string run() {
    line(0, "nnc: " + std::to_string(language_version));
    line(0, "name: " + scalar_text(d_.name));
    line(0, std::string("precision: ") + (d_.precision == Precision::f64 ? "f64" : "f32"));
    settings();
    if (d_.data) data(*d_.data);
    model();
    functions();
    if (d_.loss) loss(*d_.loss);
    metrics();
    if (d_.train) train(*d_.train);
    return std::move(out_);
  }

 private:
  void line(int level, const std::string& text) {
    out_ += std::string(static_cast<size_t>(2 * level), ' ') + text + "\n";
  }

  // word, {word: {..}} or, with keys beside it, {word: {..}, key: value}.
  std::string choice(const Choice& choice, const std::string& beside = {}) const {
    const std::string own = entry_text(choice.kind, choice.args, everything_);
    const bool bare = own == choice.kind;
    if (beside.empty()) return bare ? own : "{" + own + "}";
    return braces({own + (bare ? ": {}" : ""), beside});
  }

  void settings() {
    if (d_.settings.empty()) return;
    line(0, "settings:");
    for (const Setting& s : d_.settings) {
      line(1, s.name.text + ": " +
                  (s.ramp                ? ramp_text(*s.ramp)
                   : s.plain && s.number ? number_text(*s.number)
                                         : setting_text(s)));
    }
  }

  static std::string setting_text(const Setting& s) {
    const std::string text = scalar_text(s.text);
    // What was in quotes stays a text.
    return !s.plain && text[0] != '"' ? "\"" + text + "\"" : text;
  }

  void data(const Data& data) {
    line(0, "data:");
    for (const Split& s : data.splits) line(1, s.name.text + ": " + split(s));
    bool first = true;
    for (const Field& field : data.fields) {
      const std::string text = this->field(field);
      if (text == "{}" && data.split("train") != nullptr) continue;
      if (first) line(1, "fields:");
      first = false;
      line(2, field.name.text + ": " + text);
    }
  }

  // What stands beside a source.
  static std::string beside(const Split& split) {
    std::string text = split.where ? "where: " + formula_scalar(*split.where) : "";
    if (split.missing.empty()) return text;
    std::vector<std::string> words;
    for (const std::string& word : split.missing)
      words.push_back(flow_text(Value{word, split.source->span, true}, true));
    return text + (text.empty() ? "" : ", ") + "missing: " + brackets(words);
  }

  std::string split(const Split& split) const {
    if (split.source) return choice(*split.source, beside(split));
    const Fraction& f = *split.fraction;
    return braces({"fraction: " + number_text(f.share.value),
                   f.stratify ? "stratify: " + f.stratify->text : "",
                   "seed: " + std::to_string(f.seed.value)});
  }

  std::string field(const Field& field) const {
    std::vector<std::string> parts;
    if (field.shape) {
      parts.push_back("shape: " + extents_text(field.shape->value));
    }
    if (!field.class_names.empty()) {
      std::vector<std::string> names;
      for (const std::string& name : field.class_names) names.push_back(scalar_text(name));
      parts.push_back("names: " + brackets(names));
    } else if (field.classes) {
      parts.push_back("classes: " + std::to_string(field.classes->value));
    }
    if (!field.prepare.empty()) {
      std::vector<std::string> steps;
      for (const Choice& step : field.prepare) steps.push_back(choice(step));
      parts.push_back("prepare: " + brackets(steps));
    }
    if (!field.augment.empty()) {
      std::vector<std::string> steps;
      for (const Choice& step : field.augment) steps.push_back(choice(step));
      parts.push_back("augment: " + brackets(steps));
    }
    return braces(parts);
  }

  void model() {
    const Model& model = d_.model;
    line(0, "model:");
    line(1, "inputs: " + names_text(model.inputs));
    if (!model.params.empty()) line(1, "params:");
    for (const Parameter& p : model.params) {
      line(2, p.name.text + ": " +
                  braces({p.shape.empty() ? "" : "shape: " + extents_text(p.shape),
                          "init: " +
                              (p.start ? number_text(*p.start) : flow_text(p.init, everything_)),
                          p.minimum ? "min: " + number_text(p.minimum->value) : "",
                          p.maximum ? "max: " + number_text(p.maximum->value) : ""}));
    }
    if (!model.layers.empty()) line(1, "layers:");
    for (const Layer& l : model.layers) layer(l);
    if (!model.outputs_given) return;
    // An empty map is an empty map again.
    line(1, model.outputs.empty() ? "outputs: {}" : "outputs:");
    for (const NamedFormula& o : model.outputs)
      line(2, o.name.text + ": " + formula_scalar(o.formula));
  }

  static std::string formulas(const std::vector<NamedFormula>& list) {
    std::vector<std::string> parts;
    for (const NamedFormula& one : list)
      parts.push_back(one.name.text + ": " + formula_scalar(one.formula));
    return braces(parts);
  }

  void functions() {
    if (!d_.functions.empty()) line(0, "functions:");
    for (const Function& function : d_.functions) {
      line(1, function.name.text + ":");
      line(2, "inputs: " + names_text(function.inputs));
      line(2, "outputs: " + formulas(function.outputs));
      if (!function.draw.empty()) line(2, "draw: " + formulas(function.draw));
    }
  }

  void layer(const Layer& layer) {
    std::string own = entry_text(layer.kind.text, layer.args, everything_);
    std::vector<std::string> beside;
    // Where blocks have become layers, those above are not always the inputs.
    const bool flattened = !d_.model.composites.empty();
    if (layer.named || flattened) beside.push_back("name: " + layer.name);
    if (layer.from_given || (flattened && !layer.from.empty()))
      beside.push_back("from: " + names_text(layer.from));
    if (layer.share) beside.push_back("share: " + layer.share->text);
    if (layer.freeze.value) beside.push_back("freeze: true");
    if (layer.penalty) beside.push_back("penalty: " + penalty(*layer.penalty));
    if (layer.predict) beside.push_back("predict: " + formula_scalar(*layer.predict));
    if (layer.when) beside.push_back("when: " + modes(*layer.when));
    if (layer.init_from) {
      beside.push_back("init: " + braces({"from: " + scalar_text(layer.init_from->folder.value),
                                          "name: " + layer.init_from->name}));
    }
    if (own == layer.kind.text && !beside.empty()) own += ":";
    line(2, "- " + own + (everything_ ? remark(layer) : ""));
    for (const std::string& key : beside) line(3, key);
  }

  static std::string remark(const Layer& layer) {
    const SourceSpan& span = layer.kind.span;
    const std::string from = layer.from.empty() ? "" : " from " + names_text(layer.from);
    return fmt::format("  # {}{} @{}:{}:{}", layer.name, from, span.path(), span.line, span.column);
  }

  static std::string modes(const When& when) {
    return when.train && when.eval ? "[train, eval]" : when.train ? "train" : "eval";
  }

  static std::string penalty(const Penalty& penalty) {
    return braces({"l1: " + number_text(penalty.l1), "l2: " + number_text(penalty.l2)});
  }

  void loss(const Loss& loss) {
    line(0, "loss:");
    line(1, "terms:");
    for (const Term& term : loss.terms) {
      const std::string weight = term.weight ? "weight: " + formula_scalar(*term.weight) : "";
      line(2, term.name.text + ": " +
                  (term.formula ? formula_scalar(*term.formula) : entry(*term.loss, weight)));
    }
    if (loss.total) line(1, "total: " + formula_scalar(*loss.total));
    line(1, std::string("rows: ") + (loss.rows == Rows::sum ? "sum" : "mean"));
    if (loss.penalty) line(1, "penalty: " + penalty(*loss.penalty));
  }

  // A term that is only a word would be read as a formula.
  std::string entry(const Choice& choice, const std::string& beside) const {
    const std::string text = this->choice(choice, beside);
    return text == choice.kind ? "{" + text + ": {}}" : text;
  }

  void metrics() {
    if (d_.metrics.empty()) return;
    std::vector<std::string> items;
    for (const Metric& metric : d_.metrics) items.push_back(choice(metric.choice));
    line(0, "metrics: " + brackets(items));
  }

  static std::string clip(const Clip& clip) {
    return braces({clip.norm ? "norm: " + number_text(clip.norm->value) : "",
                   clip.value ? "value: " + number_text(clip.value->value) : ""});
  }

  std::string phase(const Phase& phase) const {
    return braces(
        {"minimize: " + formula_scalar(phase.minimize), "update: " + brackets(phase.layers),
         "steps: " + std::to_string(phase.steps.value), "optimizer: " + choice(phase.optimizer),
         phase.schedule ? "schedule: " + choice(*phase.schedule) : "",
         phase.clip ? "clip: " + clip(*phase.clip) : ""});
  }

  void train(const Train& train) {
    line(0, "train:");
    if (train.epochs) line(1, "epochs: " + std::to_string(train.epochs->value));
    if (train.steps) line(1, "steps: " + std::to_string(train.steps->value));
    line(1, "batch: " + (train.batch.all ? "all" : std::to_string(train.batch.rows)));
    if (train.phases.empty()) line(1, "optimizer: " + choice(train.optimizer));
    if (train.schedule) line(1, "schedule: " + choice(*train.schedule));
    if (train.clip) line(1, "clip: " + this->clip(*train.clip));
    if (!train.phases.empty()) line(1, "phases:");
    for (const Phase& phase : train.phases) line(2, "- " + this->phase(phase));
    if (train.early_stop) {
      const EarlyStop& stop = *train.early_stop;
      line(1, "early_stop: " + braces({"watch: " + stop.watch.value,
                                       "patience: " + std::to_string(stop.patience.value),
                                       "min_delta: " + number_text(stop.min_delta)}));
    }
    line(1, std::string("keep: ") + (train.keep.value == Keep::best ? "best" : "last"));
    line(1, std::string("shuffle: ") + (train.shuffle.value ? "true" : "false"));
    line(1, "seed: " + std::to_string(train.seed.value));
  }

  const Description& d_;
  bool everything_;
  std::string out_;
};

}  // namespace

std::string to_yaml(const Description& description) { return Writer(description, false).run(); }

std::string dump(const Description& description) { return Writer(description, true).run(); }

}  // namespace nnc::language
