// Functions: parts of the model that can be called on their own.
#include <algorithm>

#include "compiler/language/describe.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

void add_formulas(const MapValue& map, const std::string& key, std::vector<NamedFormula>& result) {
  const Value* value = get(map, key);
  if (value == nullptr) return;
  for (const auto& [name, formula] : value->map())
    if (formula.is_formula()) result.push_back({name, formula.formula()});
}

// Names of what a model has anyway.
bool is_taken(const std::string& name) {
  static const std::vector<std::string> taken = {"step", "evaluate", "predict", "prelude",
                                                 "unit_variance"};
  return std::find(taken.begin(), taken.end(), name) != taken.end();
}

}  // namespace

void describe_functions(const MapValue& functions, Draft& draft, Diagnostics& diagnostics) {
  for (const auto& [name, value] : functions) {
    if (!value.is_map()) continue;
    if (is_taken(name.text)) {
      diagnostics.error(name.span, in_quotes(name.text) + " cannot be the name of a function",
                        name.text == "predict" ? "model.outputs, which are the function 'predict'"
                                               : "another name");
      continue;
    }
    Function function;
    function.name = name;
    if (const Value* inputs = get(value.map(), "inputs")) {
      for (const Value& input : inputs->list())
        if (input.is_reference()) function.inputs.push_back(input.reference());
    }
    add_formulas(value.map(), "outputs", function.outputs);
    add_formulas(value.map(), "draw", function.draw);
    for (const NamedFormula& draw : function.draw) {
      const bool known =
          std::any_of(function.inputs.begin(), function.inputs.end(),
                      [&](const Name& input) { return input.text == draw.name.text; });
      if (known) continue;
      std::vector<std::string> names;
      for (const Name& input : function.inputs) names.push_back(input.text);
      diagnostics.error(
          draw.name.span,
          in_quotes(draw.name.text) + " is not an input of the function " + in_quotes(name.text),
          join(names, "or"));
    }
    draft.description.functions.push_back(std::move(function));
  }
}

}  // namespace nnc::language
