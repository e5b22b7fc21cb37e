// Pieces of the text form that printer and parser share.
#pragma once

#include <string>

#include "compiler/ir/graph.h"

namespace nnc::ir {

// The word after a parameter's type: "input", "scalar", "state", "value".
const char* name_of(ParamKind kind);
bool parse_param_kind(const std::string& text, ParamKind& kind);

// Whether a name can stand without quotes: letters, digits and _ . : - / only, not empty.
bool is_bare(const std::string& name);
bool is_bare_character(char c);
// The name, in quotes with escapes where it is not bare.
std::string quoted_name(const std::string& name);
// In quotes, with \" \\ \n \t.
std::string quote(const std::string& text);

// The shortest decimal that reads back as the same number, always with a point, an exponent, inf or
// nan, so that it is told apart from an integer.
std::string exact_number(double number);

}  // namespace nnc::ir
