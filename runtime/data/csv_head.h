// What the first lines of a csv file say: names, and what the cells look like.
#pragma once

#include <optional>
#include <string_view>

#include "runtime/data/spec.h"

namespace nnc::runtime {

// The number that a cell stands for, spaces around it left out: +1, 1e-400 (0), inf and nan too.
// Written with this decimal point, and never dependent on the locale.
std::optional<double> csv_number(std::string_view cell, char decimal = '.');

struct CsvLine {
  std::vector<std::string> cells;
  int64_t number = 1;  // in the file, from 1
};

// The first lines that are not blank, `most` or fewer. Throws DataError if there is none.
std::vector<CsvLine> csv_first_lines(const CsvSource& source, size_t most);

// What columns are called: by the cells of the first line, or "0", "1", … by their positions.
inline bool has_names(const CsvSource& source) { return source.header && !source.by_position; }
template <class Cell>
std::vector<std::string> column_names(const CsvSource& source, const std::vector<Cell>& line) {
  std::vector<std::string> names;
  for (size_t i = 0; i < line.size(); ++i)
    names.push_back(has_names(source) ? std::string(line[i]) : std::to_string(i));
  return names;
}

// "column 'height'", by position "column 3": for messages.
std::string column_name(const CsvSource& source, const std::string& column);

// Where a column stands among these, whose names are in this line. Throws DataError if it does
// not, or stands there twice.
size_t column_position(const CsvSource& source, int64_t line,
                       const std::vector<std::string>& columns, const std::string& wanted);

// The header's names, or "0", "1", … without a header. Throws DataError unless every column of the
// source is there. Reads the first line only.
std::vector<std::string> csv_columns(const CsvSource& source);

}  // namespace nnc::runtime
