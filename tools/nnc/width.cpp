#include "tools/nnc/width.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "compiler/support/text.h"

namespace nnc::tool {

namespace {

constexpr int usual = 80, least = 40;

int width_now() {
  if (const char* columns = std::getenv("COLUMNS")) {
    const int width = std::atoi(columns);
    if (width > 0) return std::max(width, least);
  }
  winsize size{};
  const bool told = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return told ? std::max<int>(size.ws_col, least) : usual;
}

size_t width_of(const std::string& text) { return static_cast<size_t>(characters(text)); }

// Where the second column of a line begins, or its first word.
size_t hanging_indent(const std::string& line, size_t width) {
  const size_t begin = std::min(line.find_first_not_of(' '), line.size());
  const size_t gap = line.find("  ", begin);
  if (gap == std::string::npos) return begin;
  const size_t column = line.find_first_not_of(' ', gap);
  if (column == std::string::npos || width_of(line.substr(0, column)) > width / 2) return begin + 2;
  return width_of(line.substr(0, column));
}

std::string broken(const std::string& line, size_t width) {
  const std::string margin(hanging_indent(line, width), ' ');
  std::string result, now;
  bool has_word = false;
  for (size_t begin = 0; begin < line.size();) {
    const size_t word = std::min(line.find_first_not_of(' ', begin), line.size());
    const size_t end = std::min(line.find(' ', word), line.size());
    const std::string with_gap = line.substr(begin, end - begin);
    if (has_word && width_of(now + with_gap) > width) {
      result += now + "\n";
      now = margin + line.substr(word, end - word);
    } else {
      now += with_gap;
    }
    has_word = true;
    begin = end;
  }
  return result + now;
}

}  // namespace

int terminal_width() {
  static const int width = width_now();
  return width;
}

std::string shortened(const std::string& text, size_t width) {
  if (width_of(text) <= width || width == 0) return text;
  return text.substr(0, byte_of(text, static_cast<int>(width) - 1)) + "…";
}

std::string fitted(const std::string& text, size_t width) {
  std::string result;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    result += width_of(line) > width ? broken(line, width) : line;
    if (end == std::string::npos) break;
    result += "\n";
    begin = end + 1;
  }
  return result;
}

std::string fitted(const std::string& text) {
  return fitted(text, static_cast<size_t>(terminal_width()));
}

}  // namespace nnc::tool
