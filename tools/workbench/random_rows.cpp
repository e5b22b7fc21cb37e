#include "tools/workbench/random_rows.h"

#include <algorithm>

#include "runtime/data/statistics.h"
#include "runtime/rng.h"
#include "runtime/state.h"

namespace nnc::workbench {

namespace {

runtime::Column random_column(const runtime::FieldInfo& field, int64_t rows) {
  runtime::Column column;
  column.name = field.name;
  column.dtype = field.dtype;
  column.row_shape = field.row_shape;
  const auto count = static_cast<size_t>(rows * column.row_elements());
  column.bytes = runtime::Buffer(count * abi::size_of(field.dtype));
  runtime::RandomStream stream;
  stream.stream = runtime::stream_of(field.name.c_str());
  const uint32_t classes = field.classes > 0 ? static_cast<uint32_t>(field.classes) : 256;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t word = stream.word(i);
    switch (field.dtype) {
      case abi::DType::u8:
        column.bytes.as<uint8_t>()[i] = static_cast<uint8_t>(word % classes);
        break;
      case abi::DType::i32:
        column.bytes.as<int32_t>()[i] = static_cast<int32_t>(word % classes);
        break;
      case abi::DType::f64: column.bytes.as<double>()[i] = runtime::uniform_f32(word); break;
      default: column.bytes.as<float>()[i] = runtime::uniform_f32(word);
    }
  }
  return column;
}

}  // namespace

runtime::Table random_rows(const std::vector<runtime::FieldInfo>& fields, int64_t rows) {
  runtime::Table table;
  table.file = "random rows";
  table.rows = rows;
  for (const runtime::FieldInfo& field : fields) {
    table.columns.push_back(random_column(field, rows));
  }
  return table;
}

std::vector<int32_t> scattered_rows(int64_t rows) { return runtime::permutation(rows, 1, 1); }

runtime::Buffer state_for(const abi::Program& program, const runtime::DataSpec& data,
                          const runtime::Table& rows) {
  std::vector<runtime::FittedStep> fitted;
  const bool learns = std::any_of(program.states.begin(), program.states.end(), [](const auto& s) {
    return s.initial.kind == abi::Initial::Kind::fitted;
  });
  if (learns) {
    // A table that somebody else owns.
    const std::shared_ptr<const runtime::Table> view(&rows, [](const runtime::Table*) {});
    fitted = runtime::fit(data, runtime::all_rows(view));
  }
  return runtime::initial_state(program, 1, fitted);
}

}  // namespace nnc::workbench
