// grad(y, x) in formulas: the derivative of a row's number, as graph ops that training can
// differentiate again.
#include <set>

#include "compiler/assemble/forward_builder.h"
#include "compiler/autodiff/autodiff.h"
#include "compiler/ir/op.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"

namespace nnc::assemble {

namespace {

using ir::Value;

// Everything that `x` has a part in.
std::set<const Value*> depending_on(const ir::Graph& graph, const Value* x) {
  std::set<const Value*> values{x};
  for (const auto& node : graph.nodes) {
    for (const Value* operand : node->operands) {
      if (values.count(operand) == 0) continue;
      for (const auto& result : node->results) values.insert(result.get());
    }
  }
  return values;
}

// What `y` is computed of.
std::set<const Value*> needed_by(const Value* y) {
  std::set<const Value*> values;
  std::vector<const Value*> waiting{y};
  while (!waiting.empty()) {
    const Value* value = waiting.back();
    waiting.pop_back();
    if (!values.insert(value).second || value->node == nullptr) continue;
    waiting.insert(waiting.end(), value->node->operands.begin(), value->node->operands.end());
  }
  return values;
}

}  // namespace

// Where a value of the batch becomes one without rows, each row's number depends on all rows: the
// sum over them, which is what is differentiated, no longer tells rows apart.
void ForwardBuilder::check_rows_apart(const Value* y, const Value* x,
                                      const SourceSpan& place) const {
  const std::set<const Value*> after = depending_on(*forward_.graph, x), before = needed_by(y);
  for (const auto& node : forward_.graph->nodes) {
    const Value* result = node->result();
    if (after.count(result) == 0 || before.count(result) == 0) continue;
    if (ir::has_batch(result->type.shape)) continue;
    std::string layer;
    for (const Layer& known : description_.model.layers)
      if (known.kind.span.line == node->span.line && known.kind.span.column == node->span.column)
        layer = known.kind.text + " " + in_quotes(known.name);
    throw UserError(place,
                    "no derivative of one row can be taken through " +
                        (layer.empty() ? std::string("a mean over the batch") : layer) +
                        ": rows see each other there",
                    "layers that treat each row alone, such as layer_norm");
  }
}

Value* ForwardBuilder::derivative(Value* y, const SourceSpan& y_place, Value* x,
                                  const SourceSpan& x_place) {
  if (!layers::per_row(y)) {
    throw UserError(y_place, "this does not depend on the row", "a value of the row");
  }
  check_rows_apart(y, x, y_place);
  Value* number = layers::reshape_row(b_, y, {});
  Value* gradient = autodiff::gradients(*forward_.graph, number, {x}).front();
  if (gradient != nullptr) return gradient;
  throw UserError(x_place, "the derivative is taken by a value on which nothing depends",
                  "a value that the first one is computed of, by ways that have a derivative");
}

}  // namespace nnc::assemble
