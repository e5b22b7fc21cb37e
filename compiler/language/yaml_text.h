// Values as YAML on one line.
#pragma once

#include <string>

#include "compiler/support/args.h"

namespace nnc::language {

// A text as a scalar that reads back as the same text; quotes only where needed. A $ becomes $$.
std::string scalar_text(const std::string& text);

// A formula, always in quotes.
std::string formula_scalar(const Formula& formula);

// Any value. Without `defaults`, arguments that the user did not write are left out.
std::string flow_text(const Value& value, bool defaults);

// kind, or kind: {arguments} with more keys behind (", where: …"), without the outer braces.
std::string entry_text(const std::string& kind, const Args& args, bool defaults);

// {key: value, …}; empty if there is nothing to write.
std::string arguments_text(const Args& args, bool defaults);

}  // namespace nnc::language
