// Texts from files that should be UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace nnc::runtime {

// Well-formed: no overlong forms, no surrogates.
bool is_utf8(std::string_view text);

// The text with every byte that is not UTF-8 as \xFC, for messages and names.
std::string with_escapes(std::string_view text);

}  // namespace nnc::runtime
