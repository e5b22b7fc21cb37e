#include <algorithm>

#include "tools/workbench/input_rows.h"

namespace nnc::workbench {

namespace {

template <class T>
void copy_numbers(const runtime::Column& from, const std::vector<int32_t>& rows,
                  runtime::Column& to) {
  const int64_t n = from.row_elements();
  T* next = to.bytes.as<T>();
  for (int32_t row : rows) {
    for (int64_t i = 0; i < n; ++i) *next++ = static_cast<T>(from.number(row * n + i));
  }
}

}  // namespace

std::shared_ptr<runtime::Table> raw_rows(const runtime::Table& table,
                                         const std::vector<int32_t>& rows,
                                         const std::vector<abi::InputDesc>& inputs) {
  auto result = std::make_shared<runtime::Table>();
  result->file = table.file;
  result->rows = static_cast<int64_t>(rows.size());
  for (const runtime::Column& from : table.columns) {
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const auto& candidate) {
      return candidate.name == from.name;
    });
    if (input == inputs.end()) continue;
    runtime::Column to;
    to.name = from.name;
    to.row_shape = from.row_shape;
    to.dtype = input->dtype;
    to.bytes = runtime::Buffer(rows.size() * to.row_bytes());
    switch (to.dtype) {
      case abi::DType::i32: copy_numbers<int32_t>(from, rows, to); break;
      case abi::DType::f64: copy_numbers<double>(from, rows, to); break;
      default: copy_numbers<float>(from, rows, to);
    }
    result->columns.push_back(std::move(to));
  }
  return result;
}

}  // namespace nnc::workbench
