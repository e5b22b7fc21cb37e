// The functions that formulas may call: one entry each, in the table of its family.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/layers/formula.h"

namespace nnc::layers {

struct FormulaFunction {
  std::string name;
  std::string operands;  // as one writes them: "x, axis=-1"
  std::string doc;       // one line
  size_t least = 1;      // operands without a name
  size_t most = 1;
  std::vector<std::string> named = {};  // operands that only their name can give
  std::function<Operand(FormulaContext&, const Expression& call)> build = {};
};

// All of them, family by family.
const std::vector<FormulaFunction>& formula_function_table();

std::vector<FormulaFunction> elementwise_functions();
std::vector<FormulaFunction> gamma_functions();
std::vector<FormulaFunction> axis_functions();
std::vector<FormulaFunction> array_functions();
std::vector<FormulaFunction> einsum_functions();
std::vector<FormulaFunction> random_functions();
std::vector<FormulaFunction> ramp_functions();
std::vector<FormulaFunction> derivative_functions();

// ---- what they share

// An operand of the model's dtype.
ir::Value* build_number(FormulaContext& context, const Expression& expression);
// A condition: a comparison as it is, a number compared with 0.
ir::Value* build_condition(FormulaContext& context, const Expression& expression);
// An elementwise op of two values; UserError with both shapes if they do not fit.
ir::Value* combine(FormulaContext& context, const std::string& op, ir::Value* x, ir::Value* y,
                   const Expression& expression);
// base^exponent; small whole exponents are products: exact, and defined for a negative base.
ir::Value* build_power(FormulaContext& context, const Expression& base, const Expression& exponent,
                       const Expression& whole);
// A call of a function: sum(x, axis=-1).
Operand build_call(FormulaContext& context, const Expression& call);

// The number behind an operand that must be constant (a slope, an axis).
double constant_operand(const Expression& e);
// The operand of this name; null if it is not given.
const NamedOperand* named_operand(const Expression& call, const std::string& name);
// The axes of the value that `axis=` names, in order; all axes of the row without it.
std::vector<int64_t> axes_of(const Expression& call, const ir::Value* value);

// Whether the operand can only be a shape: a list, or shape(x).
bool is_shape(const Expression& e);
// The row shape that [3, 4] or shape(x) stands for.
std::vector<int64_t> build_shape(FormulaContext& context, const Expression& e);

}  // namespace nnc::layers
