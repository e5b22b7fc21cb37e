#include "tests/support/check_model.h"

#include "compiler/assemble/forward.h"
#include "compiler/language/parse.h"
#include "compiler/layers/catalogue.h"

namespace nnc::testing {

namespace {

using Shape = std::vector<int64_t>;

// The row shape that the train source says.
std::optional<Shape> shape_in(const language::Choice& source, const std::string& name) {
  const bool is_table = source.kind == "csv";
  const Value* value = nullptr;
  if (is_table) {
    for (const auto& [field, columns] : source.args.at("columns").map()) {
      if (field.text == name) value = &columns;
    }
  } else {
    value = source.args.find(name);
  }
  if (value == nullptr) return std::nullopt;
  if (is_table && value->is_list()) return Shape{static_cast<int64_t>(value->list().size())};
  if (is_table || value->is_formula()) return Shape{};
  if (!value->is_array() || value->array().shape.empty()) return std::nullopt;
  return Shape(value->array().shape.begin() + 1, value->array().shape.end());
}

}  // namespace

std::optional<std::vector<assemble::FieldInfo>> described_fields(
    const language::Description& description) {
  std::vector<assemble::FieldInfo> result;
  if (!description.data) return std::nullopt;
  const language::Split* train = description.data->split("train");
  for (const language::Field& field : description.data->fields) {
    assemble::FieldInfo info;
    info.name = field.name.text;
    info.classes = field.classes ? field.classes->value : 0;
    info.vocabulary = field.class_names;
    info.dtype = info.classes > 0 ? abi::DType::i32 : abi::DType::f32;
    for (const language::Choice& step : field.prepare) {
      if (step.kind == "category") return std::nullopt;
    }
    std::optional<Shape> shape;
    if (field.shape) shape = field.shape->value;
    if (!shape && train != nullptr) shape = shape_in(*train->source, info.name);
    if (!shape && info.classes > 0) shape = Shape{};
    if (!shape) return std::nullopt;
    info.row_shape = *shape;
    result.push_back(std::move(info));
  }
  return result;
}

std::optional<language::Description> check_model(const std::string& text, const std::string& path,
                                                 Diagnostics& diagnostics) {
  auto description = language::parse_text(text, path, {}, layers::catalogue(), diagnostics);
  const auto fields = description ? described_fields(*description) : std::nullopt;
  if (!fields) return description;
  for (const assemble::Mode mode :
       {assemble::Mode::train, assemble::Mode::eval, assemble::Mode::predict}) {
    assemble::build_forward(*description, *fields, mode, diagnostics);
  }
  for (const assemble::EntryPlan& function : assemble::function_entries(*description))
    assemble::build_forward(*description, *fields, function, diagnostics);
  return description;
}

std::string rendered(const Diagnostics& diagnostics) {
  std::string result;
  for (const Diagnostic& diagnostic : diagnostics.sorted()) result += render(diagnostic);
  return result;
}

}  // namespace nnc::testing
