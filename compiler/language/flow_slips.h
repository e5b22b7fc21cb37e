// Slips that are good YAML but surely not meant.
#pragma once

#include <string>

#include "compiler/language/yaml.h"

namespace nnc::language {

// A key without a value inside {…}: an unquoted formula with a comma, or a missing space after a
// colon. Each is reported and taken out of the tree, so that it causes no second message.
void repair_flow_slips(YamlNode& root, Diagnostics& diagnostics);

// "(3, 3)" as "3, 3"; anything else as it is.
std::string without_parentheses(const std::string& text);

}  // namespace nnc::language
