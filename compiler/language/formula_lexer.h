// The words of a formula.
#pragma once

#include <string>
#include <vector>

#include "compiler/language/formula.h"

namespace nnc::language {

struct FormulaToken {
  enum class Kind { number, name, text, setting, sign, end };
  Kind kind = Kind::end;
  std::string text;  // of a setting: its name; of a text: without quotes
  double number = 0;
  SourceSpan span;
};

// Ends with a token of kind `end`. Reports the first character that is no part of a formula and
// throws UserError for it.
std::vector<FormulaToken> formula_tokens(const FormulaText& source);

// The part of the formula's text from byte `begin` to byte `end`.
SourceSpan part_of(const FormulaText& source, size_t begin, size_t end);

}  // namespace nnc::language
