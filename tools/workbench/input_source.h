// One file of rows for prediction, as a source that the runtime reads.
#pragma once

#include <string>
#include <vector>

#include "runtime/data/spec.h"
#include "tools/workbench/input_rows.h"
#include "tools/workbench/trained.h"

namespace nnc::workbench {

struct InputSource {
  runtime::Source source;
  std::string note;  // how a file that may be taken two ways was read; may be empty
};

// `shown`: what messages call the file at `path`. WorkError, DataError.
InputSource input_source(const std::string& path, const std::string& shown,
                         const std::vector<const runtime::FieldInfo*>& inputs,
                         const Trained& trained, const CsvReading& csv);

}  // namespace nnc::workbench
