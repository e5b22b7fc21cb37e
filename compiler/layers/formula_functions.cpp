// The table of all functions that formulas may call, and what their operands have in common.
#include <algorithm>
#include <cmath>

#include "compiler/layers/formula_function.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"
#include "runtime/shape.h"

namespace nnc::layers {

namespace {

using Kind = Expression::Kind;

// What NumPy, PyTorch and the C library call a function that has another name here.
const std::vector<std::pair<std::string, std::string>> known_elsewhere = {
    {"absolute", "abs"},      {"fabs", "abs"},      {"arctan", "atan"},
    {"arctan2", "atan2"},     {"arcsin", "asin"},   {"arccos", "acos"},
    {"maximum", "max"},       {"minimum", "min"},   {"fmax", "max"},
    {"fmin", "min"},          {"amax", "max"},      {"amin", "min"},
    {"power", "pow"},         {"where", "if"},      {"concatenate", "concat"},
    {"cat", "concat"},        {"ln", "log"},        {"gammaln", "lgamma"},
    {"loggamma", "lgamma"},   {"psi", "digamma"},   {"silu", "swish"},
    {"heaviside", "step"},    {"isnan", "missing"}, {"randn", "normal"},
    {"rand", "uniform"},      {"variance", "var"},  {"stddev", "std"},
    {"average", "mean"},      {"clamp", "clip"},    {"detach", "stop_gradient"},
    {"permute", "transpose"}, {"rint", "round"},    {"matmul", "einsum"},
    {"dot", "einsum"},        {"view", "reshape"},  {"expit", "sigmoid"}};

void check_operands(const FormulaFunction& function, const Expression& call) {
  const size_t count = call.operands.size();
  if (count < function.least || count > function.most) {
    throw UserError(call.span, "'" + function.name + "' is given the wrong number of values",
                    function.name + "(" + function.operands + ")", std::to_string(count));
  }
  for (const NamedOperand& named : call.named) {
    const auto& known = function.named;
    if (std::find(known.begin(), known.end(), named.name) != known.end()) continue;
    std::vector<std::string> keys;
    for (const std::string& name : known) keys.push_back(name + "=");
    throw UserError(named.span, "'" + function.name + "' takes no " + in_quotes(named.name),
                    known.empty() ? "values without names" : join(keys, "or"));
  }
}

[[noreturn]] void unknown(const Expression& call) {
  for (const auto& [other, name] : known_elsewhere) {
    if (other != call.text) continue;
    throw UserError(call.span, "there is no function " + in_quotes(other) + "; here it is called " +
                                   in_quotes(name));
  }
  const auto near = nearest(call.text, formula_functions());
  throw UserError(call.span,
                  "there is no function " + in_quotes(call.text) +
                      (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                  near ? "" : "one of those that `nnc help formulas` lists");
}

double arithmetic(const Expression& e, double a, double b) {
  if (e.text == "+") return a + b;
  if (e.text == "-") return a - b;
  if (e.text == "*") return a * b;
  if (e.text == "/") return a / b;
  throw UserError(e.span, "this must be a plain number", "a number, such as -1");
}

}  // namespace

double constant_operand(const Expression& e) {
  if (e.kind == Kind::number) return e.number;
  if (e.kind == Kind::unary && e.text == "-") return -constant_operand(*e.operands[0]);
  if (e.kind == Kind::binary) {
    return arithmetic(e, constant_operand(*e.operands[0]), constant_operand(*e.operands[1]));
  }
  throw UserError(e.span, "this must be a plain number", "a number, such as -1");
}

const NamedOperand* named_operand(const Expression& call, const std::string& name) {
  for (const NamedOperand& operand : call.named) {
    if (operand.name == name) return &operand;
  }
  return nullptr;
}

bool is_shape(const Expression& e) {
  return e.kind == Kind::list || (e.kind == Kind::call && e.text == "shape");
}

std::vector<int64_t> build_shape(FormulaContext& context, const Expression& e) {
  if (e.kind == Kind::call && e.text == "shape") {
    check_operands(*std::find_if(formula_function_table().begin(), formula_function_table().end(),
                                 [](const FormulaFunction& f) { return f.name == "shape"; }),
                   e);
    return row_shape(build_expression(context, *e.operands[0]).value);
  }
  if (e.kind != Kind::list) {
    throw UserError(e.span, "this must be the shape of a row", "[3, 4] or shape(x)");
  }
  std::vector<int64_t> shape;
  double count = 1;
  for (const ExpressionPtr& item : e.operands) {
    const double size = constant_operand(*item);
    count *= size;
    if (size < 1 || size != std::trunc(size) || count > static_cast<double>(most_elements)) {
      throw UserError(item->span, "a shape is a list of whole numbers",
                      count > static_cast<double>(most_elements)
                          ? "at most " + std::to_string(most_elements) + " numbers in all"
                          : "[2] or [3, 4]",
                      to_string(*item));
    }
    shape.push_back(static_cast<int64_t>(size));
  }
  return shape;
}

const std::vector<FormulaFunction>& formula_function_table() {
  static const std::vector<FormulaFunction> table = [] {
    std::vector<FormulaFunction> all;
    for (auto family : {elementwise_functions, axis_functions, array_functions, einsum_functions,
                        random_functions, ramp_functions, derivative_functions}) {
      for (FormulaFunction& function : family()) all.push_back(std::move(function));
    }
    return all;
  }();
  return table;
}

std::vector<std::string> formula_functions() {
  std::vector<std::string> names;
  for (const FormulaFunction& function : formula_function_table()) names.push_back(function.name);
  return names;
}

Operand build_call(FormulaContext& context, const Expression& call) {
  for (const FormulaFunction& function : formula_function_table()) {
    if (function.name != call.text) continue;
    check_operands(function, call);
    return function.build(context, call);
  }
  unknown(call);
}

}  // namespace nnc::layers
