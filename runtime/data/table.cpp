#include "runtime/data/table.h"

#include <fmt/format.h>

#include <limits>
#include <numeric>

namespace nnc::runtime {

double Column::number(int64_t i) const {
  switch (dtype) {
    case abi::DType::f32: return bytes.as<float>()[i];
    case abi::DType::f64: return bytes.as<double>()[i];
    case abi::DType::i32: return bytes.as<int32_t>()[i];
    case abi::DType::i64: return static_cast<double>(bytes.as<int64_t>()[i]);
    case abi::DType::u8:
    case abi::DType::boolean: return bytes.as<uint8_t>()[i];
    case abi::DType::bf16: break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

const Column* Table::find(const std::string& name) const {
  for (const Column& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

Column* Table::find(const std::string& name) {
  return const_cast<Column*>(std::as_const(*this).find(name));
}

std::string Table::place(int64_t row) const {
  if (!lines.empty()) return fmt::format("line {}", lines[static_cast<size_t>(row)]);
  if (!files.empty()) return files[static_cast<size_t>(row)];
  return fmt::format("row {} (counted from 0)", row);
}

Split all_rows(std::shared_ptr<const Table> table) {
  Split split{std::move(table), {}};
  split.rows.resize(static_cast<size_t>(split.table->rows));
  std::iota(split.rows.begin(), split.rows.end(), 0);
  return split;
}

namespace {

const Part* part_of(const Column& column, int64_t row) {
  const Part* found = nullptr;
  for (const Part& part : column.parts)
    if (part.first <= row) found = &part;
  return found;
}

}  // namespace

bool is_missing_word(const std::string& word) {
  return word.find_first_not_of(" \t") == word.npos || word == "nan" || word == "NaN";
}

const std::string& file_of(const Table& table, const Column& column) {
  return column.file.empty() ? table.file : column.file;
}

const std::string& file_of(const Table& table, const Column& column, int64_t row) {
  const Part* part = part_of(column, row);
  return part != nullptr ? part->file : file_of(table, column);
}

std::string cell_place(const Table& table, const Column& column, int64_t element) {
  if (column.cells.empty()) return element_place(table, column, element);
  const int64_t width = column.row_elements();
  return fmt::format("{}, {}", table.place(element / width),
                     column.cells[static_cast<size_t>(element % width)]);
}

std::string element_place(const Table& table, const Column& column, int64_t element) {
  const int64_t row = element / column.row_elements();
  const Part* part = part_of(column, row);
  if (part == nullptr) return fmt::format("{}, field '{}'", table.place(row), column.name);
  const int64_t within = row - part->first;
  const std::string place = part->lines.empty()
                                ? fmt::format("row {} (counted from 0)", within)
                                : fmt::format("line {}", part->lines[static_cast<size_t>(within)]);
  return fmt::format("{}, field '{}'", place, column.name);
}

}  // namespace nnc::runtime
