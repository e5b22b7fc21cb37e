// What the fields of a data set are, without reading the rows.
#pragma once

#include "runtime/data/spec.h"

namespace nnc::runtime {

struct ProbeResult {
  std::vector<FieldInfo> fields;  // of the first source there is: train, else test, else valid
  // Rows of each split, -1 where only reading the rows tells (csv, `where`); 0: no such split.
  int64_t train_rows = 0;
  int64_t valid_rows = 0;
  int64_t test_rows = 0;

  const FieldInfo* find(const std::string& name) const;
};

// Reads headers only (a few hundred bytes a file), except for a field with `category` and no known
// vocabulary, whose training rows are read. Checks that all sources have the same fields with the
// same row shapes and that the fields of one source have equally many rows. Throws DataError.
ProbeResult probe(const DataSpec& spec);

}  // namespace nnc::runtime
