// What `nnc check` does to a model file, as far as it goes without reading data: the description,
// and where the file itself says every shape, the graphs of all modes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/assemble/fields.h"
#include "compiler/language/description.h"
#include "compiler/support/diagnostics.h"

namespace nnc::testing {

// The fields as the file describes them; none if it does not say every shape (or if words have to
// be counted first).
std::optional<std::vector<assemble::FieldInfo>> described_fields(
    const language::Description& description);

// All mistakes are in `diagnostics`; the description if the front end accepted it.
std::optional<language::Description> check_model(const std::string& text, const std::string& path,
                                                 Diagnostics& diagnostics);

// The diagnostics as `nnc check` prints them.
std::string rendered(const Diagnostics& diagnostics);

}  // namespace nnc::testing
