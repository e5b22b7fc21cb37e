// Functions: parts of the model that are called on their own. Named values among their inputs cut
// the graph: what computes them is left out.
#include <algorithm>

#include "compiler/assemble/forward_builder.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"

namespace nnc::assemble {

// A field that the function was not given. Everything else may be read.
void ForwardBuilder::check_reads(const std::string& field, const SourceSpan& span) const {
  if (entry_.function == nullptr) return;
  const std::vector<Name>& inputs = entry_.function->inputs;
  const bool given = std::any_of(inputs.begin(), inputs.end(),
                                 [&](const Name& input) { return input.text == field; });
  if (given) return;
  throw UserError(span,
                  "the function " + in_quotes(entry_.function->name.text) + " reads the field " +
                      in_quotes(field) + ", which is not among its inputs",
                  field + " among its inputs, or a value that is computed of it");
}

// An input in place of a value of the model, of the shape that this has there.
void ForwardBuilder::cut(const Name& input) {
  const EntryPlan predict = predict_entry();
  ForwardBuilder model(description_, fields_, predict, diagnostics_, forward_.graph->batch);
  const layers::Operand operand = model.find(input.text, input.span);
  const std::vector<int64_t> row = layers::row_shape(operand.value);
  const ir::Type type{dtype_, layers::batch_shape(row)};
  ir::Value* value = forward_.graph->add_param(ir::ParamKind::input, input.text, type, input.text);
  values_[input.text] = {value, "input " + in_quotes(input.text) + " of the function " +
                                    in_quotes(entry_.function->name.text)};
}

void ForwardBuilder::build_function() {
  const Function& function = *entry_.function;
  for (const Name& input : function.inputs) {
    const bool good = attempt([&] {
      const auto field = std::find_if(fields_.begin(), fields_.end(), [&](const FieldInfo& info) {
        return info.name == input.text;
      });
      b_.set_span(input.span);
      if (field != fields_.end()) {
        raw_field(*field);
      } else {
        cut(input);
      }
    });
    if (!good) failed_.insert(input.text);
  }
  bool complete = true;
  for (const NamedFormula& output : function.outputs)
    complete = attempt([&] { add_output(output, build_output(output)); }) && complete;
  if (!complete) return;
  name_class_outputs();
  for (const Name& input : function.inputs) {
    const ir::Value* value = forward_.graph->find_param(ir::ParamKind::input, input.text);
    const bool written = input.span.known();
    if (!written || value == nullptr || failed_.count(input.text) > 0) continue;
    const auto reads = [&](const auto& node) {
      const auto& operands = node->operands;
      return std::find(operands.begin(), operands.end(), value) != operands.end();
    };
    const auto& nodes = forward_.graph->nodes;
    if (std::none_of(nodes.begin(), nodes.end(), reads)) {
      diagnostics_.warning(input.span, "the function " + in_quotes(function.name.text) +
                                           " does not need its input " + in_quotes(input.text));
    }
  }
}

}  // namespace nnc::assemble
