// The `data` section of a model file as the runtime reads it.
#pragma once

#include "compiler/language/description.h"
#include "runtime/data/spec.h"

namespace nnc::workbench {

// Paths are absolute in the description already. `generate` and `where` become callbacks that keep
// what they need of the description alive. UserError for what only this step can see (a formula
// that makes rows of changing shape).
runtime::DataSpec data_spec(const language::Description& description);

// One split's source alone, with the same conversion.
runtime::Source source_of(const language::Split& split);

// The files of all splits, each once, in the order of the splits.
std::vector<std::string> data_files(const runtime::DataSpec& data);

}  // namespace nnc::workbench
