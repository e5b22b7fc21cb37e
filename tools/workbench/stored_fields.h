// What the fields are as far as the model file says it, without a look at the data.
#pragma once

#include <optional>
#include <vector>

#include "compiler/language/description.h"
#include "runtime/data/spec.h"

namespace nnc::workbench {

// Every field with its shape, type and classes; none if the file leaves a shape open (an idx file
// without `shape`, a vocabulary that is in the data only).
std::optional<std::vector<runtime::FieldInfo>> stored_fields(
    const language::Description& description);

}  // namespace nnc::workbench
