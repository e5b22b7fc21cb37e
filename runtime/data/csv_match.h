// Which columns of a table hold the fields of a model that does not say so: found out from the
// first lines, with the reader's own view of names and numbers.
#pragma once

#include <optional>

#include "runtime/data/spec.h"

namespace nnc::runtime {

// A field that is looked for.
struct CsvWanted {
  std::string field;
  std::vector<int64_t> row_shape;
  std::vector<std::string> words;  // a field of words: those that are known
  bool is_words = false;
};

struct CsvMatch {
  CsvSource source;  // with its columns, and whether there is a header
  std::string note;  // how a first line was read that may be taken both ways; may be empty
};

// Columns named x.0, x.1 … after a field x, in any order; those named like the fields, where each
// is one number or word; else all columns in the order of the fields. `header`: whether the first
// line holds names; none: found out. Throws DataError if the columns are too few or too many, and
// for a first line that is neither a row nor names.
CsvMatch match_columns(CsvSource source, const std::vector<CsvWanted>& wanted,
                       std::optional<bool> header);

}  // namespace nnc::runtime
