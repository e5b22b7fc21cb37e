#include <algorithm>

#include "tools/nnc/input_rows.h"

namespace nnc::tool {

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

std::shared_ptr<const runtime::Table> raw_rows(const runtime::Table& table,
                                               const std::vector<int32_t>& rows,
                                               const spec::Description& description) {
  const bool f64 = description.precision == spec::Precision::f64;
  auto result = std::make_shared<runtime::Table>();
  result->file = table.file;
  result->rows = static_cast<int64_t>(rows.size());
  for (const runtime::Column& from : table.columns) {
    runtime::Column to;
    to.name = from.name;
    to.row_shape = from.row_shape;
    to.dtype = from.dtype == abi::DType::i32 ? from.dtype : f64 ? abi::DType::f64 : abi::DType::f32;
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

}  // namespace nnc::tool
