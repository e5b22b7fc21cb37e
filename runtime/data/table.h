// Rows in memory, in the type in which they are stored: what batches index into.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/memory.h"
#include "runtime/shape.h"

namespace nnc::runtime {

// Rows of a column that came from a file of their own.
struct Part {
  int64_t first = 0;  // row of the column
  std::string file;
  std::vector<int32_t> lines;  // csv: the line of each row
};

// One field of all rows: [rows, row_shape…], row-major. Stored as u8, i32, f32 or f64; until
// store_field also as i64.
struct Column {
  std::string name;
  std::string file;         // for messages, where it is not the table's
  std::vector<Part> parts;  // for messages, where several files give the rows
  abi::DType dtype = abi::DType::f32;
  std::vector<int64_t> row_shape;
  Buffer bytes;
  // A column of words that has not become numbers yet: rows × row elements, row-major.
  std::vector<std::string> words;
  bool is_text = false;
  std::vector<std::string> cells;  // csv, for messages: "column 'height'" for each row element

  int64_t row_elements() const { return elements_of(row_shape); }
  size_t row_bytes() const { return static_cast<size_t>(row_elements()) * abi::size_of(dtype); }
  // Element `i` of the flattened column as f64.
  double number(int64_t i) const;
};

// All fields of one source.
struct Table {
  std::string file;  // for messages: what the rows were read from
  int64_t rows = 0;
  std::vector<Column> columns;
  std::vector<int32_t> lines;      // csv: the line of the file where each row starts, from 1
  std::vector<std::string> files;  // images: the file of each row

  const Column* find(const std::string& name) const;
  Column* find(const std::string& name);
  // "row 12 (counted from 0)", "line 14" for csv, the file's path for images.
  std::string place(int64_t row) const;
};

// Whether a word stands for a value that is missing: an empty or blank one, or NaN.
bool is_missing_word(const std::string& word);

// The file that a column, or one of its rows, was read from, and "row 12 (counted from 0), field
// 'x'" for one of its numbers: for messages.
const std::string& file_of(const Table& table, const Column& column);
const std::string& file_of(const Table& table, const Column& column, int64_t row);
std::string element_place(const Table& table, const Column& column, int64_t element);
// The same, of a csv file with its column: "line 14, column 'height'".
std::string cell_place(const Table& table, const Column& column, int64_t element);

// The rows of a split: indices into a table that several splits may share.
struct Split {
  std::shared_ptr<const Table> table;
  std::vector<int32_t> rows;

  bool empty() const { return rows.empty(); }
  int64_t size() const { return static_cast<int64_t>(rows.size()); }
};

// A split of every row of `table`.
Split all_rows(std::shared_ptr<const Table> table);

}  // namespace nnc::runtime
