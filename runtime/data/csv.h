// Comma-separated values: RFC 4180 quotes, any one-character separator, LF or CRLF, an optional
// byte order mark, compressed by gzip or not.
#pragma once

#include "runtime/data/spec.h"

namespace nnc::runtime {

// What the cells of a field are turned into.
enum class CellKind : uint8_t {
  number,  // f64; missing cells become NaN
  index,   // the same, but only whole numbers
  word,    // Column::words; missing cells become empty
};

// Reads the source's fields; kinds[i] belongs to source.columns[i]. Throws DataError with the line
// and the column's name: a missing column, a word in a number, rows of unequal length, a quote that
// never ends, no rows. Empty cells and NaN are missing, like what `missing` lists.
Table read_csv(const CsvSource& source, const std::vector<CellKind>& kinds, uint64_t max_bytes);

// The cells of one column as they are, by its name in the header or counted from 0. Throws
// DataError.
std::vector<std::string> read_csv_words(const CsvSource& source, const std::string& column,
                                        uint64_t max_bytes);

}  // namespace nnc::runtime
