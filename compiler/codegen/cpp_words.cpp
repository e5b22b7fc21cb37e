#include "compiler/codegen/cpp_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/support/text.h"

namespace nnc::codegen {

namespace {

// Of valid UTF-8.
uint32_t code_point(const std::string& text, size_t at, size_t bytes) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (bytes == 1) return first;
  uint32_t point = first & (0x7fu >> bytes);
  for (size_t i = 1; i < bytes; ++i)
    point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3f);
  return point;
}

// Controls, breaks of lines and paragraphs, marks that have no width or turn the direction of
// writing, and code points that are no characters.
bool is_printable(uint32_t point) {
  if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c)
    return false;
  if (point >= 0x200b && point <= 0x200f) return false;
  if (point >= 0x2028 && point <= 0x202e) return false;
  if (point >= 0x2060 && point <= 0x206f) return false;
  if (point >= 0xe000 && point <= 0xf8ff) return false;
  if (point >= 0xfdd0 && point <= 0xfdef) return false;
  if (point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb)) return false;
  return point < 0xe0000 && (point & 0xfffe) != 0xfffe;
}

std::string printable(const std::string& text) {
  std::string result;
  size_t at = 0;
  while (at < text.size()) {
    const size_t valid = first_bad_utf8(text.substr(at)).value_or(text.size() - at);
    for (const size_t end = at + valid; at < end;) {
      const size_t bytes = byte_of(std::string_view(text).substr(at), 1);
      const bool good = is_printable(code_point(text, at, bytes));
      result += good ? text.substr(at, bytes) : "?";
      at += bytes;
    }
    if (at < text.size()) {
      result += '?';
      ++at;
    }
  }
  return result;
}

// Puts a space between the two wherever they meet.
void part(std::string& text, char first, char second) {
  for (size_t at = 1; at < text.size(); ++at)
    if (text[at - 1] == first && text[at] == second) text.insert(at, 1, ' ');
}

// `write` is called with each line.
template <class Write>
void each_line(const std::string& text, const Write& write) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    write(plain_words(text.substr(begin, end - begin)));
    begin = end + 1;
  }
}

}  // namespace

std::string plain_words(const std::string& text) {
  std::string line = printable(text);
  part(line, '?', '?');
  part(line, '*', '/');
  part(line, '/', '*');
  while (!line.empty() && (line.back() == '\\' || line.back() == ' ')) line.pop_back();
  return line;
}

std::string cpp_comment(const std::string& text) {
  std::string result;
  each_line(text, [&](const std::string& line) {
    result += line.empty() ? "//\n" : "// " + line + "\n";
  });
  return result;
}

std::string c_comment(const std::string& text) {
  std::string result;
  each_line(text, [&](const std::string& line) {
    result += (result.empty() ? "/* " : line.empty() ? "\n" : "\n   ") + line;
  });
  return result + " */\n";
}

std::string cpp_string(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || c == '?') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      result += fmt::format("\\{:03o}", byte);
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string error_words(const std::string& text) {
  std::string words = plain_words(text);
  std::replace(words.begin(), words.end(), '"', '\'');
  std::replace(words.begin(), words.end(), '\\', '/');
  part(words, '/', '*');
  part(words, '*', '/');
  return "\"" + words + "\"";
}

}  // namespace nnc::codegen
