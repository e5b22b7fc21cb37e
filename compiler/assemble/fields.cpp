// Fields of the data: raw inputs of the graph and their prepare steps, compiled in.
#include <algorithm>

#include "compiler/assemble/forward_builder.h"
#include "compiler/ir/limits.h"
#include "compiler/layers/rows.h"

namespace nnc::assemble {

using layers::Operand;

namespace {

const FieldInfo* info_of(const std::vector<FieldInfo>& fields, const std::string& name) {
  for (const FieldInfo& info : fields) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

[[noreturn]] void not_a_number(const FieldInfo& info, const Choice& step) {
  throw UserError(step.span, step.kind + ": field '" + info.name + "' is an index, not a number",
                  "a field of numbers, or one_hot first",
                  "an index of " + std::to_string(info.classes) + " classes");
}

[[noreturn]] void not_an_index(const FieldInfo& info, const Choice& step) {
  throw UserError(step.span, "one_hot: field '" + info.name + "' is not an index",
                  "a field with `classes: n`, `names` or a category step before this one");
}

// [b, …] of indices -> [b, …, classes]; [b, 1] counts as [b].
ir::Value* one_hot(ir::Builder& b, ir::Value* index, int64_t classes, ir::DType dtype) {
  std::vector<int64_t> row = layers::row_shape(index);
  if (row == std::vector<int64_t>{1}) index = layers::reshape_row(b, index, row = {});
  row.push_back(classes);
  const ir::Shape shape = layers::batch_shape(row);
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < index->type.rank(); ++i) axes.push_back(i);
  ir::Value* place = layers::positions(b, ir::DType::i32, shape);
  return b.cast(b.compare("eq", b.broadcast(index, shape, axes), place), dtype);
}

const Choice* find_step(const Field& field, const std::string& kind) {
  for (const Choice& step : field.augment) {
    if (step.kind == kind) return &step;
  }
  return nullptr;
}

// The step that mixes rows; at most one field has it.
const Choice* mixup_of(const Description& description) {
  if (!description.data) return nullptr;
  for (const Field& field : description.data->fields) {
    if (const Choice* step = find_step(field, "mixup")) return step;
  }
  return nullptr;
}

void check_not_empty(const FieldInfo& info, const SourceSpan& span) {
  const auto& shape = info.row_shape;
  if (std::none_of(shape.begin(), shape.end(), [](int64_t extent) { return extent < 1; })) return;
  throw UserError(span, "a row of field '" + info.name + "' holds nothing",
                  "one number or more in each row", layers::shape_text(shape));
}

// Steps change numbers; those about places need pictures.
void check_augment(const FieldInfo& info, const Field& field) {
  for (const Choice& step : field.augment) {
    if (info.classes > 0 || info.dtype == abi::DType::i32) {
      throw UserError(
          step.span, step.kind + " changes numbers, but '" + info.name + "' is an index",
          "a field of numbers", "an index of " + std::to_string(info.classes) + " classes");
    }
    const bool anywhere = step.kind == "brightness" || step.kind == "contrast" ||
                          step.kind == "noise" || step.kind == "mixup";
    if (anywhere || info.row_shape.size() == 2 || info.row_shape.size() == 3) continue;
    throw UserError(step.span,
                    step.kind + " changes pictures, but the rows of '" + info.name +
                        "' have no height and width",
                    "shape: [height, width, channels], given under fields",
                    layers::shape_text(info.row_shape));
  }
}

}  // namespace

// The inputs come first and in the order of the file: it is the order of predict's arguments.
void ForwardBuilder::declare_inputs() {
  for (const Name& input : description_.model.inputs) {
    if (const FieldInfo* info = info_of(fields_, input.text)) {
      if (!attempt([&] {
            b_.set_span(input.span);
            check_not_empty(*info, input.span);
            raw_field(*info);
          }))
        failed_.insert(input.text);
    } else {
      failed_.insert(input.text);
      diagnostics_.error(input.span, "the data has no field '" + input.text + "'",
                         "a field that data.train gives");
    }
  }
}

ir::Value* ForwardBuilder::raw_field(const FieldInfo& info) {
  if (ir::Value* known = forward_.graph->find_param(ir::ParamKind::input, info.name)) return known;
  const ir::Type type{info.dtype, layers::batch_shape(info.row_shape)};
  ir::check_elements(type, forward_.graph->batch, b_.span());
  return forward_.graph->add_param(ir::ParamKind::input, info.name, type, info.name);
}

bool ForwardBuilder::is_input(const std::string& field) const {
  const std::vector<Name>& inputs = description_.model.inputs;
  return std::any_of(inputs.begin(), inputs.end(),
                     [&](const Name& name) { return name.text == field; });
}

// The stored values as numbers of the type in which they are prepared, or as indices.
Operand ForwardBuilder::raw_operand(const FieldInfo& info) {
  const ir::DType dtype = info.classes > 0 ? ir::DType::i32 : prepare_dtype(info);
  return {b_.cast(raw_field(info), dtype), "field '" + info.name + "'", info.classes};
}

// With mixup, in training: share · own row + (1 - share) · partner's row, an index as shares of its
// classes. The runtime gives the share and the partners.
Operand ForwardBuilder::mixed_operand(const FieldInfo& info) {
  Operand own = raw_operand(info);
  const Choice* step = mixup_of(description_);
  if (step == nullptr) return own;
  const Field* field = description_.data->field(info.name);
  if (is_input(info.name) && (field == nullptr || find_step(*field, "mixup") == nullptr))
    return own;
  FieldInfo partner = info;
  partner.name = info.name + ":mixup";
  Operand other = raw_operand(partner);
  if (info.classes > 0) {
    own.value = one_hot(b_, own.value, info.classes, dtype_);
    other.value = one_hot(b_, other.value, info.classes, dtype_);
    own.shares = info.classes;
    own.classes = 0;
  }
  ir::Value* share =
      raw_field({.name = "mixup:share", .dtype = dtype_, .row_shape = {}, .vocabulary = {}});
  share = b_.cast(share, own.value->type.dtype);
  share = b_.broadcast(share, own.value->type.shape, {0});
  // other + share (own - other)
  own.value = b_.add(other.value, b_.mul(share, b_.sub(own.value, other.value)));
  return own;
}

Operand ForwardBuilder::build_field(const FieldInfo& info, const SourceSpan& span) {
  if (mode_ == Mode::predict && !is_input(info.name)) {
    throw UserError(span,
                    "'" + info.name +
                        "' is not an input of the model, so it is not known "
                        "when the model predicts",
                    "a value that depends on model.inputs only");
  }
  check_not_empty(info, span);
  const Field* field = description_.data ? description_.data->field(info.name) : nullptr;
  if (field != nullptr) check_augment(info, *field);
  Operand operand = mode_ == Mode::train ? mixed_operand(info) : raw_operand(info);
  if (field == nullptr) return operand;
  const Operand stored = operand;
  int position = 0;
  for (const Choice& step : field->prepare) {
    b_.set_span(step.span);
    // Mixed indices are shares of classes already.
    if (step.kind == "one_hot" && info.classes > 0 && operand.classes == 0) continue;
    operand = prepare(info, step, position++, operand);
  }
  // What the steps learn belongs to the weights, also where the rows come prepared.
  if (info.prepared && mode_ != Mode::predict) operand = stored;
  if (operand.value->type.is_float()) operand.value = b_.cast(operand.value, dtype_);
  return operand;
}

// Bytes are exact in the model's own type.
ir::DType ForwardBuilder::prepare_dtype(const FieldInfo& info) const {
  return info.exact ? ir::DType::f64 : dtype_;
}

Operand ForwardBuilder::prepare(const FieldInfo& info, const Choice& step, int position,
                                Operand operand) {
  ir::Value* x = operand.value;
  if (step.kind == "category") return operand;  // words became indices when the data was read
  if (step.kind == "one_hot") {
    if (operand.classes == 0) not_an_index(info, step);
    operand.value = one_hot(b_, x, operand.classes, dtype_);
    operand.classes = 0;
    return operand;
  }
  if (operand.classes > 0) not_a_number(info, step);
  if (step.kind == "scale") {
    operand.value = b_.mul(x, step.args.number("factor"));
  } else if (step.kind == "standardize") {
    ir::Value* mean = fitted(info, step, position, "mean");
    ir::Value* deviation = fitted(info, step, position, "stddev");
    operand.value =
        layers::row_binary(b_, "div", layers::row_binary(b_, "sub", x, mean), deviation);
  } else if (step.kind == "minmax") {
    ir::Value* low = fitted(info, step, position, "min");
    ir::Value* high = fitted(info, step, position, "max");
    ir::Value* share =
        layers::row_binary(b_, "div", layers::row_binary(b_, "sub", x, low), b_.sub(high, low));
    const double from = step.args.number("low");
    operand.value = b_.add(b_.mul(share, step.args.number("high") - from), from);
  } else if (step.kind == "log") {
    operand.value = b_.unary("log", b_.add(x, step.args.number("offset")));
  } else if (step.kind == "clip") {
    if (step.args.has("low")) x = b_.binary("max", x, b_.constant_like(step.args.number("low"), x));
    if (step.args.has("high"))
      x = b_.binary("min", x, b_.constant_like(step.args.number("high"), x));
    operand.value = x;
  } else if (step.kind == "impute") {
    // Missing values are NaN, which alone differs from itself.
    ir::Value* fill = fitted(info, step, position, "mean");
    fill = layers::row_binary(b_, "add", b_.constant_like(0, x), fill);
    operand.value = b_.select(b_.compare("ne", x, x), fill, x);
  } else {
    throw InternalError("prepare step " + step.kind + " passed the schema");
  }
  return operand;
}

// A number for each entry of the last axis, which the runtime learns from the train split. A second
// step of a kind has its position in its name.
ir::Value* ForwardBuilder::fitted(const FieldInfo& info, const Choice& step, int position,
                                  const std::string& statistic) {
  const std::vector<Choice>& steps = description_.data->field(info.name)->prepare;
  const bool again = std::any_of(steps.begin(), steps.begin() + position,
                                 [&](const Choice& other) { return other.kind == step.kind; });
  abi::StateDesc state;
  state.name =
      info.name + ":" + step.kind + (again ? std::to_string(position) : "") + "." + statistic;
  if (ir::Value* known = forward_.graph->find_param(ir::ParamKind::state, state.name)) return known;
  state.kind = abi::StateKind::prepared;
  state.dtype = prepare_dtype(info);
  if (!info.row_shape.empty()) state.shape = {info.row_shape.back()};
  state.initial.kind = abi::Initial::Kind::fitted;
  state.initial.fit_field = info.name;
  state.initial.fit_step = position;
  state.initial.fit_statistic = statistic;
  return add_state(state);
}

}  // namespace nnc::assemble
