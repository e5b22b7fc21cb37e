// The formula language: + - * / ^ @, comparisons, and/or/not, if(c, a, b), calls with named
// arguments, slices, dotted names, numbers, strings, pi, and $settings.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "compiler/support/diagnostics.h"
#include "compiler/support/expression.h"

namespace nnc::language {

struct FormulaText {
  std::string text;
  SourceSpan span;  // of the whole value
  // Character of the source line at which `text` starts (from 1); 0 if it does not stand there
  // letter for letter (escapes, several lines), so that only the whole can be pointed at.
  int column = 0;
};

// The number of a setting; reports and returns none if there is no such setting or it has no
// number.
using SettingNumber = std::function<std::optional<double>(const std::string&, const SourceSpan&)>;

// What stands for $name where the setting is no plain number: a ramp. Null for all others.
using SettingFormula = std::function<ExpressionPtr(const std::string&, const SourceSpan&)>;

// None, and one error at the first thing that cannot be understood, if it is not a formula.
std::optional<Formula> parse_formula(const FormulaText& source, const SettingNumber& setting,
                                     Diagnostics& diagnostics, const SettingFormula& ramp = {});

// The value of a formula of numbers only, with sqrt, exp, log, abs, min, max, floor, ceil, round.
// None if it depends on anything else. May be infinite or NaN.
std::optional<double> constant_value(const Expression& expression);

}  // namespace nnc::language
