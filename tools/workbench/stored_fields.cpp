#include "tools/workbench/stored_fields.h"

#include "runtime/data/prepare.h"
#include "tools/workbench/data_spec.h"

namespace nnc::workbench {

namespace {

using Shape = std::vector<int64_t>;

// The row shape that the source itself says.
std::optional<Shape> shape_in(const runtime::SourceKind& kind, const std::string& name) {
  if (const auto* csv = std::get_if<runtime::CsvSource>(&kind)) {
    for (const runtime::CsvColumns& columns : csv->columns) {
      if (columns.field != name) continue;
      if (!columns.list) return Shape{};
      return Shape{static_cast<int64_t>(columns.columns.size())};
    }
  } else if (const auto* rows = std::get_if<runtime::InlineSource>(&kind)) {
    for (const runtime::InlineField& field : rows->fields) {
      if (field.field == name) return field.row_shape;
    }
  } else if (const auto* made = std::get_if<runtime::GeneratedSource>(&kind)) {
    for (const runtime::GeneratedField& field : made->fields) {
      if (field.field == name) return field.row_shape;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<runtime::FieldInfo>> stored_fields(
    const language::Description& description) {
  const runtime::DataSpec data = data_spec(description);
  if (!data.train) return std::nullopt;
  std::vector<runtime::FieldInfo> result;
  for (const runtime::FieldSpec& field : data.fields) {
    if (field.category() != nullptr) return std::nullopt;
    runtime::FieldInfo info;
    info.name = field.name;
    info.classes = field.names.empty() ? field.classes : static_cast<int64_t>(field.names.size());
    info.vocabulary = field.names;
    info.dtype = field.is_index() ? abi::DType::i32 : data.precision;
    // Pictures are stored as bytes in idx files.
    const bool idx = std::holds_alternative<runtime::IdxSource>(data.train->kind);
    if (idx && !field.is_index()) info.dtype = abi::DType::u8;
    info.prepared =
        runtime::prepared_in(field, idx ? abi::DType::u8 : abi::DType::f64, data.precision);
    if (info.prepared == runtime::Prepared::in_program_f64) info.dtype = abi::DType::f64;
    if (field.shape) {
      info.row_shape = *field.shape;
    } else if (const auto shape = shape_in(data.train->kind, field.name)) {
      info.row_shape = *shape;
    } else if (!field.is_index()) {
      return std::nullopt;
    }
    result.push_back(std::move(info));
  }
  return result;
}

}  // namespace nnc::workbench
