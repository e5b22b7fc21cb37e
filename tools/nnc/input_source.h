// One file of rows for prediction, as a source that the runtime reads.
#pragma once

#include <string>
#include <vector>

#include "runtime/data/spec.h"
#include "tools/nnc/input_rows.h"
#include "tools/nnc/trained.h"

namespace nnc::tool {

struct InputSource {
  runtime::Source source;
  std::string note;  // how a file that may be taken two ways was read; may be empty
};

// `shown`: what messages call the file at `path`. CommandError, DataError.
InputSource input_source(const std::string& path, const std::string& shown,
                         const std::vector<const runtime::FieldInfo*>& inputs,
                         const Trained& trained, const CsvReading& csv);

}  // namespace nnc::tool
