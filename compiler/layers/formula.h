// Formulas as graph ops. A formula speaks of one row: its values carry the batch axis in front
// where they have one entry per row, and axes count within the row.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/layers/layer.h"
#include "compiler/support/expression.h"

namespace nnc::layers {

// Who knows what undoes the prepare steps of a field.
class Units {
 public:
  virtual ~Units() = default;
  // A prepared value in the units of the field. UserError for a field that is not prepared.
  virtual ir::Value* inverse(ir::Value* value, const Name& field) = 0;
};

// What a formula is built in.
struct FormulaContext {
  ir::Builder& b;
  Scope& scope;
  ir::DType dtype = ir::DType::f32;    // of the model; numbers and conditions become this
  Units* units = nullptr;              // for `inverse`; null: it cannot be called here
  RandomSource* random = nullptr;      // null: nothing random can be drawn here
  Derivatives* derivatives = nullptr;  // for `grad`; null: it cannot be called here
  Mode mode = Mode::predict;           // a ramp is at its end except while training
  std::string path = {};               // whose formula it is: its draws are PATH#0, PATH#1 …
  int draws = 0;                       // so far
};

// The graph of a formula. A lone name keeps its class count; everything else is a number or, for a
// comparison, a boolean. UserError at the part of the formula that is wrong.
Operand build_expression(FormulaContext& context, const Expression& expression);

// The same as a number of the model's dtype (conditions become 0 and 1).
ir::Value* build_formula(FormulaContext& context, const Formula& formula);

// The names of all functions that a formula may call.
std::vector<std::string> formula_functions();

}  // namespace nnc::layers
