// --set path=value: changes of the tree before anything is read from it.
#pragma once

#include <string>
#include <vector>

#include "compiler/language/yaml.h"

namespace nnc::language {

// Applies them in order. A path of one word is a setting, or a key of the file; a longer one goes
// down keys (train.optimizer.adam.rate), list items by their `name` or by position from 0
// (model.layers.fc1.dense.units).
void apply_overrides(const std::vector<std::string>& overrides, YamlNode& root,
                     Diagnostics& diagnostics);

// The override for `--data text`: changes the data section, and mistakes in it are said of --data.
std::string data_override(const std::string& text);

}  // namespace nnc::language
