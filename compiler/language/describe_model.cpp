#include <map>

#include "compiler/language/describe.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

class ModelDescriber {
 public:
  ModelDescriber(const MapValue& map, const schema::Catalogue& catalogue, Draft& draft,
                 Diagnostics& diagnostics)
      : map_(map),
        catalogue_(catalogue),
        draft_(draft),
        model_(draft.description.model),
        diagnostics_(diagnostics) {}

  void run() {
    if (const Value* inputs = get(map_, "inputs")) {
      for (const Value& input : inputs->list()) {
        if (input.is_reference()) model_.inputs.push_back(input.reference());
      }
    }
    draft_.params_complete = readable("params");
    draft_.layers_complete = readable("layers");
    draft_.outputs_complete = readable("outputs");
    if (const Value* params = get(map_, "params")) {
      for (const auto& [name, value] : params->map()) parameter(name, value);
    }
    if (const Value* layers = get(map_, "layers")) {
      for (const Value& value : layers->list()) layer(value);
    }
    automatic_names();
    default_inputs();
    outputs();
  }

 private:
  bool readable(const std::string& key) const { return !stands(map_, key) || get(map_, key); }

  void parameter(const Name& name, const Value& value) {
    Parameter parameter;
    parameter.name = name;
    if (value.is_number()) {
      parameter.init = {value.number(), value.span};
    } else if (value.is_map()) {
      const MapValue& map = value.map();
      if (const Value* init = get(map, "init")) parameter.init = {init->number(), init->span};
      if (const Value* low = get(map, "min")) parameter.minimum = {low->number(), low->span};
      if (const Value* high = get(map, "max")) parameter.maximum = {high->number(), high->span};
      if (!stands(map, "init")) parameter.init.span = value.span;
      if (parameter.init.span.known()) check_bounds(parameter);
    }
    model_.params.push_back(std::move(parameter));
  }

  void check_bounds(const Parameter& p) {
    const auto report = [&](const SourceSpan& span, const std::string& expected, double got) {
      diagnostics_.error(span, "the bounds of " + in_quotes(p.name.text) + " do not fit its start",
                         expected, number_text(got));
    };
    if (p.minimum && p.init.value < p.minimum->value) {
      report(p.init.span, "at least " + number_text(p.minimum->value), p.init.value);
    }
    if (p.maximum && p.init.value > p.maximum->value) {
      report(p.init.span, "at most " + number_text(p.maximum->value), p.init.value);
    }
  }

  void layer(const Value& value) {
    if (!value.is_entry()) {
      draft_.layers_complete = false;
      return;
    }
    const EntryValue& entry = value.entry();
    Layer layer;
    layer.kind = entry.kind;
    layer.span = entry.kind.span;
    layer.args.whole = entry.args->whole;
    const MapValue& beside = entry.siblings->values();
    if (const Value* name = get(beside, "name")) {
      layer.name = name->text();
      layer.named = true;
      layer.span = name->span;
    }
    if (stands(beside, "name") && !layer.named) draft_.layers_complete = false;
    if (const Value* from = get(beside, "from")) add_inputs(*from, layer);
    layer.from_given = stands(beside, "from");
    if (const Value* share = get(beside, "share")) layer.share = share->reference();
    if (const Value* freeze = get(beside, "freeze"))
      layer.freeze = {freeze->boolean(), freeze->span};
    if (const Value* penalty = get(beside, "penalty")) layer.penalty = penalty_of(*penalty);
    if (const Value* predict = get(beside, "predict")) layer.predict = predict->formula();
    if (const Value* when = get(beside, "when")) layer.when = modes(*when, layer.kind.text);
    arguments(*entry.args, layer);
    model_.layers.push_back(std::move(layer));
  }

  When modes(const Value& value, const std::string& kind) {
    When when{.span = value.span};
    const ListValue one{value};
    for (const Value& mode : value.is_list() ? value.list() : one) {
      if (!mode.is_text()) continue;
      (mode.text() == "train" ? when.train : when.eval) = true;
    }
    const schema::Entry* layer = catalogue_.find(schema::Group::layers, kind);
    if (layer == nullptr || layer->random) return when;
    std::vector<std::string> random;
    for (const schema::Entry* entry : catalogue_.entries(schema::Group::layers)) {
      if (entry->random) random.push_back(entry->name);
    }
    diagnostics_.error(value.span,
                       "'when' says when random numbers are drawn, and " + kind + " draws none",
                       "no 'when', or a layer that draws: " + join(random, "or"));
    return when;
  }

  static void add_inputs(const Value& value, Layer& layer) {
    if (value.is_reference()) layer.from.push_back(value.reference());
    if (!value.is_list()) return;
    for (const Value& item : value.list()) {
      if (item.is_reference()) layer.from.push_back(item.reference());
    }
  }

  // The inputs of a merge layer move to `from`.
  void arguments(const Args& args, Layer& layer) {
    const schema::Entry* entry = catalogue_.find(schema::Group::layers, layer.kind.text);
    const bool merges = entry != nullptr && entry->merges;
    for (const auto& [key, value] : args.values()) {
      if (!merges || key.text != "inputs") {
        layer.args.set(key, value);
        continue;
      }
      if (layer.from_given) {
        diagnostics_.error(key.span, "the inputs of " + layer.kind.text + " are given twice",
                           "either " + layer.kind.text + ": [a, b] or 'from'");
      }
      layer.from_given = true;
      add_inputs(value, layer);
    }
    if (merges && !layer.from_given) {
      diagnostics_.error(layer.kind.span, layer.kind.text + " needs its inputs",
                         layer.kind.text + ": [a, b]");
      layer.from_given = true;
    }
  }

  void automatic_names() {
    std::set<std::string> given;
    for (const Layer& layer : model_.layers) {
      if (layer.named) given.insert(layer.name);
    }
    std::map<std::string, int> counts;
    for (Layer& layer : model_.layers) {
      if (layer.named) continue;
      do {
        layer.name = layer.kind.text + "_" + std::to_string(++counts[layer.kind.text]);
      } while (given.count(layer.name) > 0);
    }
  }

  bool names_its_inputs(const Layer& layer) const {
    const schema::Entry* entry = catalogue_.find(schema::Group::layers, layer.kind.text);
    if (entry == nullptr) return true;
    for (const schema::Key& key : entry->keys) {
      if (key.name == entry->principal) return key.type.kind == schema::Kind::formula;
    }
    return false;
  }

  void default_inputs() {
    for (size_t i = 0; i < model_.layers.size(); ++i) {
      Layer& layer = model_.layers[i];
      if (layer.from_given || names_its_inputs(layer)) continue;
      if (i > 0) {
        layer.from.push_back({model_.layers[i - 1].name, layer.kind.span});
      } else if (model_.inputs.size() == 1) {
        layer.from.push_back({model_.inputs[0].text, layer.kind.span});
      } else if (model_.inputs.size() > 1) {
        std::vector<std::string> names;
        for (const Name& input : model_.inputs) names.push_back(input.text);
        diagnostics_.error(layer.kind.span,
                           "the first layer needs 'from', because the model has several inputs",
                           "from: " + join(names, "or"));
      }
    }
  }

  void outputs() {
    const Value* outputs = get(map_, "outputs");
    model_.outputs_given = stands(map_, "outputs");
    if (outputs != nullptr) {
      for (const auto& [name, value] : outputs->map()) {
        if (value.is_formula()) {
          model_.outputs.push_back({name, value.formula()});
        } else {
          draft_.outputs_complete = false;
        }
      }
    }
    if (model_.outputs_given) return;
    if (model_.layers.empty()) {
      if (draft_.layers_complete) {
        diagnostics_.error(model_.span, "the model computes nothing", "layers or outputs");
      }
      return;
    }
    const Layer& last = model_.layers.back();
    Expression name;
    name.kind = Expression::Kind::name;
    name.text = last.name;
    name.span = last.span;
    model_.outputs.push_back(
        {Name{"output", last.span},
         Formula{last.name, last.span, std::make_shared<const Expression>(std::move(name))}});
  }

  const MapValue& map_;
  const schema::Catalogue& catalogue_;
  Draft& draft_;
  Model& model_;
  Diagnostics& diagnostics_;
};

}  // namespace

void describe_model(const MapValue& model, const schema::Catalogue& catalogue, Draft& draft,
                    Diagnostics& diagnostics) {
  ModelDescriber(model, catalogue, draft, diagnostics).run();
}

}  // namespace nnc::language
