// Texts in the width of the terminal.
#pragma once

#include <cstddef>
#include <string>

namespace nnc::tool {

// Characters in a line of standard output: COLUMNS, what the terminal says, or 80; at least 40.
int terminal_width();

// The text in so many characters at most: "Ankle b…".
std::string shortened(const std::string& text, size_t width);

// Lines that are longer than the terminal is wide, broken between words. What follows stands below
// the second column ("  name    what it is"), if there is one, or below the beginning.
std::string fitted(const std::string& text);
std::string fitted(const std::string& text, size_t width);

}  // namespace nnc::tool
