// Which files hold the rows of which inputs of a prediction.
#pragma once

#include <string>
#include <vector>

#include "runtime/data/spec.h"
#include "tools/workbench/entry_inputs.h"

namespace nnc::workbench {

// Inputs that come from the same files, whose rows follow each other.
struct InputGroup {
  std::vector<const runtime::FieldInfo*> inputs;
  std::vector<std::string> paths;
};

// `--in` arguments: FILE for all inputs (or the only one), or INPUT=FILE for each; several for the
// same inputs are rows one after the other; groups point into `inputs`. WorkError.
std::vector<InputGroup> input_groups(const std::vector<std::string>& arguments,
                                     const EntryInputs& inputs);

}  // namespace nnc::workbench
