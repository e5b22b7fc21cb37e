#include "compiler/language/yaml_places.h"

#include <algorithm>

#include "compiler/support/text.h"

namespace nnc::language {

Places::Places(std::shared_ptr<const SourceFile> file) : file_(std::move(file)), starts_{0} {
  for (size_t i = 0; i < file_->text.size(); ++i) {
    if (file_->text[i] == '\n') starts_.push_back(i + 1);
  }
}

std::string_view Places::line(int line) const {
  if (line < 0 || line >= lines()) return {};
  const size_t begin = starts_[static_cast<size_t>(line)];
  const bool last = line + 1 == lines();
  const size_t end = last ? file_->text.size() : starts_[static_cast<size_t>(line) + 1] - 1;
  return std::string_view(file_->text).substr(begin, end - begin);
}

size_t Places::offset(int line, int column) const {
  if (line < 0 || line >= lines()) return file_->text.size();
  return starts_[static_cast<size_t>(line)] + static_cast<size_t>(std::max(column, 0));
}

int Places::characters_before(int line, size_t bytes) const {
  const std::string_view text = this->line(line);
  if (line != counted_line_ || bytes < counted_bytes_) {
    counted_line_ = line;
    counted_bytes_ = 0;
    counted_characters_ = 0;
  }
  const std::string_view rest = text.substr(std::min(counted_bytes_, text.size()));
  counted_characters_ += characters(rest, bytes - counted_bytes_);
  counted_bytes_ = bytes;
  return counted_characters_;
}

char Places::at(int line, int column) const {
  const std::string_view text = this->line(line);
  const bool inside = column >= 0 && static_cast<size_t>(column) < text.size();
  return inside ? text[static_cast<size_t>(column)] : '\0';
}

SourceSpan Places::start() const { return SourceSpan{file_, 1, 1, 1}; }

SourceSpan Places::span(int line, int column, int length) const {
  // Past the end of the file: the end of the last line that says something.
  if (line >= lines()) line = lines() - 1;
  const std::string_view text = this->line(line);
  const size_t begin = std::min(text.size(), static_cast<size_t>(std::max(column, 0)));
  const std::string_view part = text.substr(begin, static_cast<size_t>(std::max(length, 0)));
  return SourceSpan{file_, std::max(line, 0) + 1, characters_before(line, begin) + 1,
                    std::max(1, characters(part))};
}

SourceSpan Places::token(int line, int column) const {
  const std::string_view text = this->line(line);
  const size_t begin = std::min(text.size(), static_cast<size_t>(std::max(column, 0)));
  const size_t end = std::min(text.find_first_of(" ,[]{}", begin), text.size());
  return span(line, column, static_cast<int>(end - begin));
}

SourceSpan Places::plain(int line, int column, const std::string& value) const {
  const std::string_view text = this->line(line);
  const size_t begin = std::min(text.size(), static_cast<size_t>(std::max(column, 0)));
  const size_t most = std::min(text.size() - begin, value.size());
  size_t length = 0;
  while (length < most && text[begin + length] == value[length]) ++length;
  return span(line, column, static_cast<int>(length));
}

SourceSpan Places::in_quotes(int line, int column) const {
  const std::string_view text = this->line(line);
  const size_t begin = std::min(text.size(), static_cast<size_t>(std::max(column, 0)));
  const size_t end = std::min(end_of_quoted(text, begin), text.size());
  return span(line, column, static_cast<int>(end - begin));
}

std::string Places::token_text(const SourceSpan& span) const {
  const std::string_view text = line(span.line - 1);
  const std::string_view rest = text.substr(byte_of(text, span.column - 1));
  return std::string(rest.substr(0, byte_of(rest, span.length)));
}

size_t end_of_quoted(std::string_view text, size_t at) {
  if (at >= text.size()) return std::string_view::npos;
  const char quote = text[at];
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      const bool doubled = quote == '\'' && i + 1 < text.size() && text[i + 1] == quote;
      if (!doubled) return i + 1;
      ++i;
    }
  }
  return std::string_view::npos;
}

}  // namespace nnc::language
