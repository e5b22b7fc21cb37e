// Words that users and their data chose (names of models, files, columns and classes), as comments,
// literals and messages of emitted code. Whatever is in them, nothing is read as code.
#pragma once

#include <string>

namespace nnc::codegen {

// One line of printable text: control characters, broken UTF-8 and characters that change how the
// text around them reads become question marks. No comment begins or ends in it, it continues on no
// other line, and there is no trigraph.
std::string plain_words(const std::string& text);

// Text as `//` lines, and as one C comment whose lines are indented like its first one.
std::string cpp_comment(const std::string& text);
std::string c_comment(const std::string& text);

// A literal, in quotes, of exactly these bytes; an ASCII text in C as in C++.
std::string cpp_string(const std::string& text);

// What stands behind `#error`.
std::string error_words(const std::string& text);

}  // namespace nnc::codegen
