// Random values for inputs of a function that nobody gives.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/language/description.h"
#include "runtime/abi.h"
#include "runtime/data/spec.h"

namespace nnc::workbench {

// By the function's `draw`, for those of `inputs` that it names: each element by its formula, of
// the seed, the input's name and the element only. UserError for a formula that does not fit.
std::vector<runtime::InlineField> drawn_fields(const language::Function& function,
                                               const std::vector<abi::InputDesc>& inputs,
                                               int64_t rows, uint64_t seed);

}  // namespace nnc::workbench
