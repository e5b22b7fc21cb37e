#include <map>

#include "compiler/language/describe.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

class ModelDescriber {
 public:
  ModelDescriber(const MapValue& map, const schema::Catalogue& catalogue, const Blocks& blocks,
                 Draft& draft, Diagnostics& diagnostics)
      : map_(map),
        catalogue_(catalogue),
        blocks_(blocks),
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
      describe_layers(layers->list(), catalogue_, blocks_, draft_, diagnostics_);
    }
    outputs();
  }

 private:
  bool readable(const std::string& key) const { return !stands(map_, key) || get(map_, key); }

  void parameter(const Name& name, const Value& value) {
    Parameter parameter;
    parameter.name = name;
    parameter.init = {0.0, value.span, false};
    if (value.is_number()) {
      parameter.init = value;
    } else if (value.is_map()) {
      const MapValue& map = value.map();
      if (const Value* shape = get(map, "shape")) {
        for (const Value& extent : shape->list()) {
          if (extent.is_integer()) parameter.shape.push_back(extent.integer());
        }
      }
      if (const Value* init = get(map, "init")) parameter.init = *init;
      if (const Value* low = get(map, "min")) parameter.minimum = {low->number(), low->span};
      if (const Value* high = get(map, "max")) parameter.maximum = {high->number(), high->span};
      if (!stands(map, "init")) parameter.init.span = value.span;
    }
    parameter.start = one_number(parameter.init);
    if (parameter.init.span.known()) check_bounds(parameter);
    model_.params.push_back(std::move(parameter));
  }

  static std::optional<double> one_number(const Value& init) {
    if (init.is_number()) return init.number();
    if (init.is_array() && init.array().shape.empty()) return init.array().numbers.at(0);
    if (!init.is_entry() || init.entry().kind.text != "constant") return std::nullopt;
    const Value* value = init.entry().args ? init.entry().args->find("value") : nullptr;
    if (value == nullptr || !value->is_number()) return std::nullopt;  // or it is reported
    return value->number();
  }

  // Of the numbers that are written; what an initialiser draws is brought inside by training.
  void check_bounds(const Parameter& p) {
    std::vector<double> numbers;
    if (p.start) numbers = {*p.start};
    if (p.init.is_array()) numbers = p.init.array().numbers;
    const auto report = [&](const std::string& expected, double got) {
      diagnostics_.error(p.init.span,
                         "the bounds of " + in_quotes(p.name.text) + " do not fit its start",
                         expected, number_text(got));
    };
    for (const double number : numbers) {
      if (p.minimum && number < p.minimum->value) {
        return report("at least " + number_text(p.minimum->value), number);
      }
      if (p.maximum && number > p.maximum->value) {
        return report("at most " + number_text(p.maximum->value), number);
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
  const Blocks& blocks_;
  Draft& draft_;
  Model& model_;
  Diagnostics& diagnostics_;
};

}  // namespace

void describe_model(const MapValue& model, const schema::Catalogue& catalogue, const Blocks& blocks,
                    Draft& draft, Diagnostics& diagnostics) {
  ModelDescriber(model, catalogue, blocks, draft, diagnostics).run();
}

}  // namespace nnc::language
