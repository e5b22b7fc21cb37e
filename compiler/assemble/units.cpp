// Targets in their own units: what undoes the prepare steps of a field, and where that is done.
// Losses compare prepared values; metrics of numbers and outputs that are a prediction of a field
// speak in the units of the data.
#include <algorithm>

#include "compiler/assemble/forward_builder.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"

namespace nnc::assemble {

namespace {

bool keeps_numbers(const Choice& step) { return step.kind != "category" && step.kind != "one_hot"; }

// The same numbers in the shape of the field's rows: [] and [1] are one.
ir::Value* like_field(ir::Builder& b, ir::Value* value, const FieldInfo& info) {
  const bool one = layers::elements(layers::row_shape(value)) == 1;
  return one && layers::elements(info.row_shape) == 1
             ? layers::reshape_row(b, value, info.row_shape)
             : value;
}

}  // namespace

// Null if it is no field, an index, or taken as it is.
const FieldInfo* ForwardBuilder::prepared_field(const std::string& name) const {
  const Field* field = description_.data ? description_.data->field(name) : nullptr;
  const bool numbers = field != nullptr && !field->prepare.empty() &&
                       std::all_of(field->prepare.begin(), field->prepare.end(), keeps_numbers);
  if (!numbers) return nullptr;
  for (const FieldInfo& info : fields_)
    if (info.name == name && info.classes == 0) return &info;
  return nullptr;
}

const FieldInfo* ForwardBuilder::prepared_field(const layers::Operand& target) const {
  for (const FieldInfo& info : fields_) {
    const auto known = values_.find(info.name);
    if (known != values_.end() && known->second.value == target.value)
      return prepared_field(info.name);
  }
  return nullptr;
}

// A prepared value in the units of the field, in the type in which it was prepared.
ir::Value* ForwardBuilder::inverse(const FieldInfo& info, ir::Value* value) {
  const std::vector<int64_t> row = layers::row_shape(value);
  ir::Value* x = like_field(b_, b_.cast(value, prepare_dtype(info)), info);
  const std::vector<Choice>& steps = description_.data->field(info.name)->prepare;
  for (int position = static_cast<int>(steps.size()) - 1; position >= 0; --position)
    x = undo(info, steps[static_cast<size_t>(position)], position, x);
  return layers::reshape_row(b_, x, row);
}

ir::Value* ForwardBuilder::undo(const FieldInfo& info, const Choice& step, int position,
                                ir::Value* x) {
  const auto learned = [&](const char* statistic) {
    return fitted(info, step, position, statistic);
  };
  if (step.kind == "scale") return b_.binary("div", x, b_.constant_like(factor_of(step), x));
  if (step.kind == "standardize") {
    x = layers::row_binary(b_, "mul", x, learned("stddev"));
    return layers::row_binary(b_, "add", x, learned("mean"));
  }
  if (step.kind == "minmax") {
    const double from = step.args.number("low");
    ir::Value* share = b_.mul(b_.add(x, -from), 1 / (step.args.number("high") - from));
    ir::Value* low = learned("min");
    x = layers::row_binary(b_, "mul", share, b_.sub(learned("max"), low));
    return layers::row_binary(b_, "add", x, low);
  }
  if (step.kind == "log") return b_.add(b_.unary("exp", x), -step.args.number("offset"));
  internal_check(step.kind == "clip" || step.kind == "impute", "nothing undoes " + step.kind);
  return x;  // what was cut off or filled in stays as it is
}

// 0 leaves nothing to go back to.
double ForwardBuilder::factor_of(const Choice& step) {
  const double factor = step.args.number("factor");
  if (factor != 0) return factor;
  throw UserError(step.span,
                  "scale: 0 cannot be undone, but predictions of this field have its units",
                  "another factor");
}

// The field that losses or metrics of numbers compare a value with; null for none. The name is that
// of the value, or of an output that is nothing else.
const FieldInfo* ForwardBuilder::predicted_field(const NamedFormula& output) const {
  const Expression& root = *output.formula.root;
  const std::string bare = root.kind == Expression::Kind::name ? root.text : "";
  const FieldInfo* found = nullptr;
  const auto look = [&](const Args& args) {
    for (const char* form : {"prediction", "probability", "rate"}) {
      if (!args.has(form) || !args.has("target")) continue;
      const std::string& name = args.reference(form).text;
      if (name != bare && name != output.name.text) continue;
      const FieldInfo* info = prepared_field(args.reference("target").text);
      if (info == nullptr) continue;
      if (found != nullptr && found != info) {
        throw UserError(output.formula.span,
                        "output " + in_quotes(output.name.text) + " is a prediction of both '" +
                            found->name + "' and '" + info->name + "': in which units?",
                        "inverse(" + name + ", " + found->name + "), or prepared(" + name + ")");
      }
      found = info;
    }
  };
  if (!description_.loss) return nullptr;
  for (const Term& term : description_.loss->terms)
    if (term.loss) look(term.loss->args);
  if (found != nullptr) return found;
  for (const Metric& metric : description_.metrics) look(metric.choice.args);
  return found;
}

// What prediction gives of an output: in f32 models f64 only where f32 is too coarse.
ir::Value* ForwardBuilder::predicted(const NamedFormula& output, ir::Value* value,
                                     std::string& units) {
  const auto own = own_units_.find(value);
  const FieldInfo* info = own != own_units_.end() ? own->second.field : predicted_field(output);
  if (info == nullptr) return value;
  units = info->name;
  value = own != own_units_.end() ? own->second.exact : inverse(*info, value);
  return info->wide ? value : b_.cast(value, dtype_);
}

// inverse(value, field) in formulas.
ir::Value* ForwardBuilder::inverse(ir::Value* value, const Name& field) {
  const FieldInfo* info = prepared_field(field.text);
  if (info == nullptr) {
    throw UserError(field.span, "inverse: '" + field.text + "' is no field with prepare steps",
                    "a field of numbers with `prepare`, whose units the value gets");
  }
  const std::vector<int64_t> row = layers::row_shape(value);
  const bool fits = row == info->row_shape ||
                    (layers::elements(row) == 1 && layers::elements(info->row_shape) == 1);
  if (!fits) {
    throw UserError(field.span,
                    "inverse: the value has another shape than field '" + field.text + "'",
                    layers::shape_text(info->row_shape), layers::shape_text(row));
  }
  ir::Value* exact = inverse(*info, value);
  ir::Value* result = b_.cast(exact, dtype_);
  own_units_[result] = {info, exact};
  return result;
}

// Metrics of numbers compare in the units of the data, in the type that holds them.
ir::DType ForwardBuilder::to_own_units(layers::Pair& pair) {
  const FieldInfo* info = pair.form == layers::Form::logits ? nullptr : prepared_field(pair.target);
  if (info == nullptr) return dtype_;
  const auto own = own_units_.find(pair.prediction.value);
  pair.prediction.value =
      own != own_units_.end() ? own->second.exact : inverse(*info, pair.prediction.value);
  pair.target.value = inverse(*info, pair.target.value);
  return prepare_dtype(*info);
}

// Losses compare prepared values, on both sides.
void ForwardBuilder::check_units(const layers::Pair& pair) {
  const FieldInfo* info = prepared_field(pair.target);
  if (info == nullptr) return;
  if (own_units_.count(pair.prediction.value) > 0) {
    throw UserError(pair.prediction_span,
                    "the loss compares prepared values, but this is in the units of '" +
                        own_units_.at(pair.prediction.value).field->name + "'",
                    "the value without inverse()");
  }
  std::vector<std::string>& names = forward_.prepared_targets;
  if (std::find(names.begin(), names.end(), info->name) == names.end()) names.push_back(info->name);
}

}  // namespace nnc::assemble
