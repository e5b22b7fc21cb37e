// Values at which functions cut the graph, computed of rows by the model itself.
#pragma once

#include <string>
#include <vector>

#include "compiler/language/description.h"

namespace nnc::workbench {

// A function of fields, the model's inputs, whose outputs are these named values. Nobody wrote it:
// it is added to a description before this is compiled.
language::Function function_of_values(const std::string& name,
                                      const language::Description& description,
                                      const std::vector<Name>& values);

}  // namespace nnc::workbench
