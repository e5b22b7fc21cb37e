// A description as text again.
#pragma once

#include <string>

#include "compiler/language/description.h"

namespace nnc::language {

// The model file as resolved: settings filled in, arithmetic done, --set applied, paths absolute.
// Loading it gives the same description (places apart), whatever folder it lies in.
std::string to_yaml(const Description& description);

// The same with every default written out, and beside each layer its name, its inputs and its
// place: `nnc dump --stage spec`.
std::string dump(const Description& description);

}  // namespace nnc::language
