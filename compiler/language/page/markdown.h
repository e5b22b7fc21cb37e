// Text as Markdown: what would be taken for markup is escaped, lines are at most 100 columns wide.
#pragma once

#include <string>

namespace nnc::language {

// The text with a backslash before what would be emphasis or HTML, code in backticks as it is.
std::string escaped(const std::string& text);

// The words in lines of at most 100 columns; the first begins with `first`, the others with
// `margin`. No line begins with what would be a list, a heading or a quotation.
std::string wrapped(const std::string& text, const std::string& first = "",
                    const std::string& margin = "");

// A fenced block of YAML.
std::string yaml_block(const std::string& yaml);

// A heading of the level with an anchor of its own.
std::string heading(int level, const std::string& title, const std::string& anchor);

}  // namespace nnc::language
