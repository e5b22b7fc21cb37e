// Which outputs are scores of the classes of a field: those that hold, element by element, what a
// loss or a metric compares with that field. Equal widths alone say nothing.
#include <algorithm>
#include <set>

#include "compiler/assemble/forward_builder.h"
#include "compiler/ir/op.h"
#include "compiler/layers/rows.h"

namespace nnc::assemble {

namespace {

// Spread over rows or classes, or the same for all: it makes no class of its own.
bool is_spread(const ir::Value* value) {
  return value->node != nullptr && value->node->operands.size() < 2 &&
         (value->node->op->name == "broadcast" || value->node->op->family == ir::Family::generator);
}

// Element i along the last axis is made of element i of these values. Softmax is elementwise here:
// its sums come back through a broadcast.
void add_roots(const ir::Value* value, std::set<const ir::Value*>& roots,
               std::set<const ir::Value*>& seen) {
  if (!seen.insert(value).second) return;
  const ir::Node* node = value->node;
  const bool elementwise = node != nullptr && node->op->family == ir::Family::elementwise;
  const bool reshaped = node != nullptr && node->op->name == "reshape" &&
                        node->operands[0]->type.rank() > 0 && value->type.rank() > 0 &&
                        node->operands[0]->type.shape.back() == value->type.shape.back();
  size_t followed = 0;
  if (elementwise || reshaped) {
    for (const ir::Value* operand : node->operands) {
      if (is_spread(operand)) continue;
      add_roots(operand, roots, seen);
      ++followed;
    }
  }
  if (followed == 0) roots.insert(value);
}

std::set<const ir::Value*> roots_of(const ir::Value* value) {
  std::set<const ir::Value*> roots, seen;
  add_roots(value, roots, seen);
  return roots;
}

// The arguments of all losses and metrics that compare something.
std::vector<const Args*> comparisons(const Description& description) {
  std::vector<const Args*> result;
  if (description.loss) {
    for (const Term& term : description.loss->terms)
      if (term.loss) result.push_back(&term.loss->args);
  }
  for (const Metric& metric : description.metrics) result.push_back(&metric.choice.args);
  return result;
}

}  // namespace

ir::Value* ForwardBuilder::quiet_find(const Name& name) {
  try {
    return find(name.text, name.span).value;
  } catch (const UserError&) {  // not known in prediction
  } catch (const AlreadyReported&) {
  }
  return nullptr;
}

void ForwardBuilder::name_class_outputs() {
  for (const Args* args : comparisons(description_)) {
    if (!args->has("target")) continue;
    const std::string& target = args->reference("target").text;
    const auto field = std::find_if(fields_.begin(), fields_.end(),
                                    [&](const FieldInfo& info) { return info.name == target; });
    if (field == fields_.end() || field->classes == 0) continue;
    for (const char* form : {"logits", "probability", "prediction"}) {
      ir::Value* scores = args->has(form) ? quiet_find(args->reference(form)) : nullptr;
      if (scores == nullptr) continue;
      const std::vector<int64_t> row = layers::row_shape(scores);
      if (row.empty() || row.back() != field->classes) continue;
      for (OutputInfo& output : forward_.outputs) {
        const auto written = std::find_if(
            forward_.graph->outputs.begin(), forward_.graph->outputs.end(),
            [&](const ir::Output& candidate) { return candidate.name == output.name; });
        const ir::Value* value = written->value;
        if (output.class_field.empty() && output.shape == row &&
            roots_of(value) == roots_of(scores))
          output.class_field = field->name;
      }
    }
  }
}

}  // namespace nnc::assemble
