#include "compiler/layers/compare.h"

#include <algorithm>

#include "compiler/layers/rows.h"
#include "compiler/support/text.h"

namespace nnc::layers {

using schema::Key;

namespace {

Form form_of(const std::string& key) {
  if (key == "logits") return Form::logits;
  return key == "probability" ? Form::probability : Form::number;
}

std::string doc_of(const std::string& form) {
  if (form == "logits") return "the value that holds logits (before softmax or sigmoid)";
  if (form == "probability") return "the value that holds probabilities";
  return "the value that is compared";
}

std::string describe(const Operand& operand) {
  const std::vector<int64_t> row = row_shape(operand.value);
  std::string text = shape_text(row);
  if (operand.classes > 0) {
    text = (row.empty() ? "an index of " : shape_text(row) + ", each an index of ") +
           std::to_string(operand.classes) + " classes";
  } else if (operand.shares > 0) {
    text = "shares of " + std::to_string(operand.shares) + " classes, by mixup";
  }
  return operand.origin.empty() ? text : text + " (" + operand.origin + ")";
}

// A layer such as dense keeps the axes in front of the last one; often one answer for the whole row
// was meant.
std::string flatten_hint(const CompareContext& context) {
  const size_t classes = context.pair.target.classes > 0 ? 1 : 0;
  const size_t axes = row_shape(context.pair.target.value).size() + classes;
  return row_shape(context.pair.prediction.value).size() > std::max<size_t>(axes, 1)
             ? "; `- flatten` before the last dense layer gives one answer for the whole row"
             : "";
}

[[noreturn]] void mismatch(const CompareContext& context, const std::string& expected) {
  throw UserError(context.pair.target_span,
                  context.kind + ": prediction and target do not fit together",
                  expected + flatten_hint(context), describe(context.pair.target));
}

void refuse_index(const CompareContext& context, const Operand& operand, const SourceSpan& span) {
  if (operand.classes == 0) return;
  throw UserError(span, context.kind + " compares numbers, but this is an index of classes",
                  "numbers; give the field `prepare: [one_hot]`, or use cross_entropy",
                  describe(operand));
}

// [b, 1] -> [b]
ir::Value* drop_single(ir::Builder& b, ir::Value* value) {
  return row_shape(value) == std::vector<int64_t>{1} ? reshape_row(b, value, {}) : value;
}

// […, C] -> […]: what the last class has.
ir::Value* last_share(ir::Builder& b, ir::Value* shares) {
  ir::Shape sizes = shares->type.shape;
  std::vector<int64_t> starts(sizes.size(), 0), row = row_shape(shares);
  starts.back() = sizes.back().size - 1;
  sizes.back().size = 1;
  row.pop_back();
  return reshape_row(b, b.slice(shares, starts, sizes), row);
}

Numbers equal_shapes(const CompareContext& context) {
  ir::Builder& b = context.b;
  const ir::DType dtype = context.dtype;
  const Numbers result{drop_single(b, b.cast(context.pair.prediction.value, dtype)),
                       drop_single(b, b.cast(context.pair.target.value, dtype))};
  if (row_shape(result.prediction) != row_shape(result.target)) {
    mismatch(context, describe(context.pair.prediction));
  }
  return result;
}

}  // namespace

std::vector<Key> pair_keys(const std::vector<std::string>& forms, bool required) {
  std::vector<Key> keys;
  for (const std::string& form : forms) {
    Key key(form, schema::reference(), doc_of(form));
    keys.push_back(required && forms.size() == 1 ? key.required() : key);
  }
  const Key target("target", schema::reference(), "the field that holds the right answer");
  keys.push_back(required ? target.required() : target);
  return keys;
}

bool names_pair(const Args& args) {
  for (const char* key : {"logits", "probability", "prediction", "target"}) {
    if (args.has(key)) return true;
  }
  return false;
}

Pair named_pair(const std::string& kind, const Args& args, Scope& scope) {
  std::vector<std::string> given;
  for (const char* key : {"logits", "probability", "prediction"}) {
    if (args.has(key)) given.push_back(key);
  }
  if (given.size() != 1 || !args.has("target")) {
    throw UserError(args.whole, kind + " needs one prediction and its target",
                    "as in {logits: scores, target: label}",
                    given.size() > 1 ? join(given) : "target alone");
  }
  const Name& prediction = args.reference(given[0]);
  const Name& target = args.reference("target");
  return {.prediction = scope.find(prediction.text, prediction.span),
          .target = scope.find(target.text, target.span),
          .form = form_of(given[0]),
          .prediction_span = prediction.span,
          .target_span = target.span};
}

Numbers numbers(const CompareContext& context) {
  refuse_index(context, context.pair.prediction, context.pair.prediction_span);
  refuse_index(context, context.pair.target, context.pair.target_span);
  return equal_shapes(context);
}

Numbers binary_numbers(const CompareContext& context) {
  refuse_index(context, context.pair.prediction, context.pair.prediction_span);
  if (context.pair.target.classes != 2) {
    refuse_index(context, context.pair.target, context.pair.target_span);
  }
  if (context.pair.target.shares != 2) return equal_shapes(context);
  CompareContext second = context;
  second.pair.target.value = last_share(context.b, context.pair.target.value);
  return equal_shapes(second);
}

void refuse_labels(const CompareContext& context) {
  if (!context.pair.labels) return;
  throw UserError(context.span,
                  context.kind +
                      " chooses one class per row, but the loss decides each of several labels by "
                      "itself",
                  "accuracy (of all labels), or the prediction and target of one label, cut out by "
                  "`expr: \"x[..., 0]\"`",
                  describe(context.pair.prediction));
}

Classes classes(const CompareContext& context) {
  const Operand& target = context.pair.target;
  refuse_labels(context);
  refuse_index(context, context.pair.prediction, context.pair.prediction_span);
  Classes result{.scores = context.b.cast(context.pair.prediction.value, context.dtype)};
  std::vector<int64_t> row = row_shape(result.scores);
  if (row.empty() || row.back() < 2) {
    throw UserError(context.pair.prediction_span,
                    context.kind + " needs a score for each of at least two classes",
                    "a row of shape [classes]; for one score use binary_cross_entropy",
                    describe(context.pair.prediction));
  }
  result.count = row.back();
  if (target.classes == 0) {
    if (row_shape(target.value) != row) {
      mismatch(context, target.shares > 0
                            ? "an index of " + std::to_string(result.count) + " classes for " +
                                  describe(context.pair.prediction)
                            : shape_text(row) + ", or an index: give the field `classes: " +
                                  std::to_string(result.count) + "`");
    }
    result.weights = context.b.cast(target.value, context.dtype);
    return result;
  }
  row.pop_back();
  ir::Value* index = target.value;
  if (row.empty()) index = drop_single(context.b, index);
  if (target.classes != result.count || row_shape(index) != row) {
    mismatch(context, "an index of " + std::to_string(result.count) + " classes for " +
                          describe(context.pair.prediction));
  }
  result.index = context.b.cast(index, ir::DType::i32);
  return result;
}

ir::Value* first_largest(ir::Builder& b, ir::Value* x) {
  const int64_t axis = x->type.rank() - 1;
  const double last = static_cast<double>(x->type.shape.back().size - 1);
  ir::Value* top = repeat_axis(b, b.reduce("reduce_max", x, {axis}), x, axis);
  ir::Value* position = positions(b, ir::DType::i32, x->type.shape);
  ir::Value* candidates =
      b.select(b.compare("eq", x, top), position, b.constant_like(last, position));
  return b.reduce("reduce_min", candidates, {axis});
}

}  // namespace nnc::layers
