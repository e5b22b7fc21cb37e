#include "compiler/ir/cursor.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "compiler/ir/text.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/text.h"

namespace nnc::ir {
namespace {

bool is_identifier_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

}  // namespace

Cursor::Cursor(const std::string& text, const std::string& path)
    : file_(std::make_shared<SourceFile>(SourceFile{path, text})), text_(file_->text) {}

SourceSpan Cursor::here() const {
  const size_t line_start = position_ == 0 ? 0 : text_.rfind('\n', position_ - 1) + 1;
  const auto begin = text_.begin();
  const auto lines = std::count(begin, begin + static_cast<std::ptrdiff_t>(position_), '\n');
  const std::string_view before(text_.data() + line_start, position_ - line_start);
  return {file_, static_cast<int>(lines) + 1, characters(before) + 1, 1};
}

void Cursor::fail(const std::string& message, const std::string& expected,
                  const std::string& got) const {
  throw UserError(here(), message, expected, got);
}

void Cursor::skip_space() {
  while (position_ < text_.size() &&
         std::isspace(static_cast<unsigned char>(text_[position_])) != 0) {
    ++position_;
  }
}

bool Cursor::at(const std::string& symbol) {
  skip_space();
  return text_.compare(position_, symbol.size(), symbol) == 0;
}

bool Cursor::accept(const std::string& symbol) {
  if (!at(symbol)) return false;
  position_ += symbol.size();
  return true;
}

bool Cursor::accept_word(const std::string& word) {
  if (!at(word)) return false;
  const size_t after = position_ + word.size();
  if (after < text_.size() && is_identifier_character(text_[after])) return false;
  position_ = after;
  return true;
}

void Cursor::symbol(const std::string& symbol) {
  if (!accept(symbol)) {
    const std::string found = position_ < text_.size() ? text_.substr(position_, 1) : "the end";
    fail("the text of the graph has something else here", "'" + symbol + "'", "'" + found + "'");
  }
}

void Cursor::word(const std::string& word) {
  if (!accept_word(word)) fail("the text of the graph has something else here", "'" + word + "'");
}

template <typename Accept>
std::string Cursor::run(const std::string& what, Accept accept) {
  skip_space();
  const size_t start = position_;
  while (position_ < text_.size() && accept(text_[position_])) ++position_;
  if (start == position_) fail("the text of the graph has something else here", what);
  return text_.substr(start, position_ - start);
}

std::string Cursor::identifier() { return run("a name", is_identifier_character); }

std::string Cursor::name() { return at("\"") ? text() : run("a name", is_bare_character); }

std::string Cursor::token() {
  return run("a value", [](char c) { return is_identifier_character(c) || c == '-' || c == '+'; });
}

std::string Cursor::text() {
  symbol("\"");
  std::string result;
  while (position_ < text_.size() && text_[position_] != '"') {
    char c = text_[position_++];
    if (c == '\\' && position_ < text_.size()) {
      c = text_[position_++];
      if (c == 'n') c = '\n';
      if (c == 't') c = '\t';
    }
    result += c;
  }
  symbol("\"");
  return result;
}

int64_t Cursor::integer() {
  const std::string digits =
      run("a whole number", [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
  int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (stop != end || error != std::errc()) fail("this is not a number", "a whole number", digits);
  return number;
}

SourceSpan Cursor::location() {
  if (!accept("@")) return {};
  const size_t end = std::min(text_.find('\n', position_), text_.size());
  const std::string line = text_.substr(position_, end - position_);
  const size_t second = line.rfind(':');
  const size_t first =
      second == std::string::npos || second == 0 ? std::string::npos : line.rfind(':', second - 1);
  if (first == std::string::npos) fail("this is not a place", "@file:line:column", line);
  const auto number = [&](const std::string& digits) {
    const std::optional<double> value = parse_number(digits);
    if (!value || *value < 0 || *value > 1e9)
      fail("this is not a place", "@file:line:column", line);
    return static_cast<int>(*value);
  };
  SourceSpan span;
  const std::string file_name = line.substr(0, first);
  auto& file = located_[file_name];
  if (!file) file = std::make_shared<SourceFile>(SourceFile{file_name, ""});
  span.file = file;
  span.line = number(line.substr(first + 1, second - first - 1));
  span.column = number(line.substr(second + 1));
  position_ = end;
  return span;
}

void Cursor::end() {
  skip_space();
  if (position_ < text_.size()) fail("the text of the graph goes on after its end");
}

}  // namespace nnc::ir
