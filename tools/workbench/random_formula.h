// Formulas with uniform() and normal(): the calls become named inputs, so that the rest of the
// formula is an ordinary one.
#pragma once

#include <string>
#include <vector>

#include "compiler/support/expression.h"

namespace nnc::workbench {

// Numbers that are drawn before a formula is evaluated: [rows, shape…] of uniform [0, 1) or
// standard normal numbers.
struct Draw {
  std::string name;  // in the formula; no name that a user can write
  bool normal = false;
  std::vector<int64_t> shape;  // of one row
};

// The formula with every call of uniform and normal replaced: uniform(a, b) by a + (b - a) * draw,
// normal(m, s) by m + s * draw. `prefix` (the field's name) makes the draws' names. UserError for
// wrong arguments.
ExpressionPtr take_out_draws(const ExpressionPtr& expression, const std::string& prefix,
                             std::vector<Draw>& draws);

}  // namespace nnc::workbench
