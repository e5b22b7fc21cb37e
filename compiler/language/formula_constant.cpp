// Formulas of numbers only, worked out where the language expects a number (1/255, 4*$width).
#include <algorithm>
#include <cmath>

#include "compiler/language/formula.h"

namespace nnc::language {

namespace {

std::optional<double> unary_function(const std::string& name, double x) {
  if (name == "sqrt") return std::sqrt(x);
  if (name == "exp") return std::exp(x);
  if (name == "log") return std::log(x);
  if (name == "abs") return std::fabs(x);
  if (name == "floor") return std::floor(x);
  if (name == "ceil") return std::ceil(x);
  if (name == "round") return std::round(x);
  return std::nullopt;
}

std::optional<double> call(const std::string& name, const std::vector<double>& values) {
  if (values.size() == 1) return unary_function(name, values[0]);
  if (values.empty()) return std::nullopt;
  if (name == "min") return *std::min_element(values.begin(), values.end());
  if (name == "max") return *std::max_element(values.begin(), values.end());
  return std::nullopt;
}

std::optional<double> binary(const std::string& sign, double a, double b) {
  if (sign == "+") return a + b;
  if (sign == "-") return a - b;
  if (sign == "*") return a * b;
  if (sign == "/") return a / b;
  if (sign == "^") return std::pow(a, b);
  return std::nullopt;
}

}  // namespace

std::optional<double> constant_value(const Expression& e) {
  using Kind = Expression::Kind;
  if (e.kind == Kind::number) return e.number;
  std::vector<double> values;
  for (const ExpressionPtr& operand : e.operands) {
    const std::optional<double> value = constant_value(*operand);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  if (e.kind == Kind::unary && e.text == "-") return -values[0];
  if (e.kind == Kind::binary) return binary(e.text, values[0], values[1]);
  if (e.kind == Kind::call && e.named.empty()) return call(e.text, values);
  return std::nullopt;
}

}  // namespace nnc::language
