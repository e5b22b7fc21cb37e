#include "compiler/language/page/markdown.h"

#include <fmt/format.h>

#include <cctype>
#include <sstream>

#include "compiler/support/text.h"

namespace nnc::language {

namespace {

constexpr int widest = 100;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_space(char c) { return c == ' ' || c == '\0'; }

// Whether a character with these neighbours would be markup. Between letters _ is none, nor is a *
// with space around it.
bool is_markup(char before, char c, char after) {
  if (c == '_') return !(is_word(before) && is_word(after));
  if (c == '*') return !(is_space(before) && is_space(after));
  return c == '<' && is_word(after);
}

// A word that begins a list, a heading, a quotation or a line under a heading.
bool is_unfit_to_begin(const std::string& word) {
  const bool numbered = word.back() == '.' && word.find_first_not_of("0123456789.") == word.npos;
  return numbered || word.find_first_not_of("-+*=>#|") == word.npos || word[0] == '>';
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  bool code = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '`') code = !code;
    const char before = i > 0 ? text[i - 1] : '\0';
    const char after = i + 1 < text.size() ? text[i + 1] : '\0';
    if (!code && is_markup(before, text[i], after)) result += '\\';
    result += text[i];
  }
  return result;
}

std::string wrapped(const std::string& text, const std::string& first, const std::string& margin) {
  // What may not begin a line stays with the word before it.
  std::vector<std::string> pieces;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!pieces.empty() && is_unfit_to_begin(word)) {
      pieces.back() += " " + word;
    } else {
      pieces.push_back(word);
    }
  }
  std::string result, line = first;
  bool is_empty = true;
  for (const std::string& piece : pieces) {
    if (!is_empty && characters(line) + 1 + characters(piece) > widest) {
      result += line + "\n";
      line = margin;
      is_empty = true;
    }
    line += (is_empty ? "" : " ") + piece;
    is_empty = false;
  }
  return result + line + "\n";
}

std::string yaml_block(const std::string& yaml) {
  const bool ended = !yaml.empty() && yaml.back() == '\n';
  return "```yaml\n" + yaml + (ended ? "" : "\n") + "```\n";
}

std::string heading(int level, const std::string& title, const std::string& anchor) {
  return fmt::format("\n<a id=\"{}\"></a>\n{} {}\n", anchor,
                     std::string(static_cast<size_t>(level), '#'), title);
}

}  // namespace nnc::language
