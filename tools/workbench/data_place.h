// Where in the model file it stands what the data turned out not to be.
#pragma once

#include <functional>

#include "compiler/language/description.h"
#include "runtime/data/error.h"
#include "tools/workbench/job.h"

namespace nnc::workbench {

// The place of the column, array, field or file that the error names; the data section if it names
// none of the model's own.
SourceSpan place_of(const runtime::DataError& error, const language::Data& data);

// The error as one about the model file.
Diagnostic at_its_place(const runtime::DataError& error, const language::Data& data);

// Does work that reads the model's own data. A DataError becomes a DataMistake.
void reading_data(const Model& model, const std::function<void()>& work);

}  // namespace nnc::workbench
