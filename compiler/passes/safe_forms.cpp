// Numerically safe forms of what users and textbooks write. They run before derivatives, so that
// the gradients are those of the safe form.
//   exp(x)/Σexp(x)                          -> the same of x - max(x)
//   1/(1 + exp(-z)), exp(z)/(1 + exp(z))    -> sigmoid(z)
//   log(v), log(1 - v), log1p(v)            -> from what v was made of (log_forms.h), wherever v is
//     a sigmoid, a softmax, an exponential, a softplus, or products, sums, powers, choices and
//     views of such: log(sigmoid(z)) -> -softplus(-z), log(1 + exp(x)) -> softplus(x) …
#include "compiler/passes/log_forms.h"
#include "compiler/passes/log_patterns.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"
#include "compiler/passes/softmax.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;

namespace {

Value* shift_softmax(Node& node, Builder& b) {
  Softmax softmax;
  if (!match_softmax(node.result(), softmax)) return nullptr;
  Value* x = softmax.argument();
  if (is_shifted(x)) return nullptr;
  const auto axes = softmax.axes();
  Value* maximum = b.stop_gradient(b.reduce("reduce_max", x, axes));
  Value* e = b.unary("exp", b.sub(x, spread(b, maximum, x, axes)));
  return b.div(e, spread(b, b.sum(e, axes), x, axes));
}

Value* safe_log(Node& node, Builder& b, LogForms& forms) {
  if (is_op(&node, "log1p")) {
    const LogForm& form = forms.log1p(node.operands[0]);
    return form.needed() ? form.build(b) : nullptr;
  }
  if (!is_op(&node, "log")) return nullptr;
  Value* v = node.operands[0];
  if (const LogForm& form = forms.log(v)) return form.needed() ? form.build(b) : nullptr;
  const LogForm part = forms.partial_log(v);
  return part ? part.build(b) : nullptr;
}

}  // namespace

bool safe_forms(ir::Graph& graph) {
  const bool textbook = rewrite(graph, [](Node& node, Builder& b) -> Value* {
    if (Value* v = shift_softmax(node, b)) return v;
    return textbook_sigmoid(node, b);
  });
  LogForms forms;
  const bool logs =
      rewrite(graph, [&](Node& node, Builder& b) { return safe_log(node, b, forms); });
  return textbook || logs;
}

}  // namespace nnc::passes
