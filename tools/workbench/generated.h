// New rows out of a function of a model: drawn, on the way between two rows, or rows as the model
// restores them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/data/table.h"
#include "runtime/inference.h"
#include "tools/workbench/trained.h"

namespace nnc::workbench {

struct GenerateChoices {
  std::string function;  // empty: the only one that draws
  int64_t rows = 64;
  uint64_t seed = 0;            // of what is drawn
  std::vector<std::string> in;  // NAME=VALUE: a number or a class's word, the same for all rows;
                                // several, with commas, row by row
  std::optional<std::pair<int64_t, int64_t>> walk;  // from this row of the data to that
  std::string reconstruct;                          // a file or folder of rows to restore
  CompileChoices compile;
};

struct Generated {
  std::string function;
  int64_t rows = 0;
  std::vector<runtime::Prediction> outputs;
  std::vector<std::string> notes;
  // The rows that were restored, as they were given; null: none.
  std::shared_ptr<const runtime::Table> originals;
};

// WorkError for what the model cannot do, DataError.
Generated generate(const Trained& trained, const GenerateChoices& choices);

}  // namespace nnc::workbench
