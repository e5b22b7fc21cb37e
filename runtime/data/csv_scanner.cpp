#include "runtime/data/csv_scanner.h"

#include <fmt/format.h>

#include "runtime/data/error.h"

namespace nnc::runtime {

CsvScanner::CsvScanner(std::string file, std::string_view text, char separator)
    : file_(std::move(file)), text_(text), separator_(separator) {
  if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
  const std::string_view first = text_.substr(at_, 6);
  if (!first.starts_with("sep=") || first.size() < 6 || (first[5] != '\n' && first[5] != '\r'))
    return;
  at_ += 5;
  skip_end_of_line();
}

bool CsvScanner::at_separator() const {
  return text_[at_] == separator_ || (separator_ == ' ' && text_[at_] == '\t');
}

bool CsvScanner::at_end_of_line() const {
  return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r';
}

void CsvScanner::skip_end_of_line() {
  if (at_ < text_.size() && text_[at_] == '\r') ++at_;
  if (at_ < text_.size() && text_[at_] == '\n') ++at_;
  ++next_line_;
}

void CsvScanner::skip_blanks() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t') &&
         (separator_ == ' ' || text_[at_] != separator_)) {
    ++at_;
  }
}

bool CsvScanner::next(std::vector<std::string_view>& cells) {
  cells.clear();
  unescaped_.clear();
  skip_blanks();
  while (at_ < text_.size() && at_end_of_line()) {
    skip_end_of_line();
    skip_blanks();
  }
  if (at_ >= text_.size()) return false;
  line_ = next_line_;
  for (;;) {
    skip_blanks();
    if (separator_ == ' ' && !cells.empty() && at_end_of_line()) break;
    const bool quoted = at_ < text_.size() && text_[at_] == '"';
    cells.push_back(quoted ? quoted_cell() : plain_cell());
    if (at_end_of_line()) break;
    ++at_;  // the separator
  }
  skip_end_of_line();
  return true;
}

std::string_view CsvScanner::plain_cell() {
  const size_t start = at_;
  while (!at_end_of_line() && !at_separator()) ++at_;
  std::string_view cell = text_.substr(start, at_ - start);
  while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t')) cell.remove_suffix(1);
  return cell;
}

std::string_view CsvScanner::quoted_cell() {
  const size_t start = ++at_;
  bool doubled = false;
  for (;; ++at_) {
    if (at_ >= text_.size()) {
      throw DataError(file_, fmt::format("line {}", line_), "a quote (\") never ends");
    }
    if (text_[at_] == '\n') ++next_line_;
    if (text_[at_] != '"') continue;
    if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
    doubled = true;
    ++at_;
  }
  std::string_view cell = text_.substr(start, at_ - start);
  ++at_;
  while (!at_end_of_line() && text_[at_] == ' ' && !at_separator()) ++at_;
  if (!at_end_of_line() && !at_separator()) {
    throw DataError(file_, fmt::format("line {}", line_), "text after a closing quote",
                    fmt::format("'{}' or the end of the line", separator_),
                    fmt::format("'{}'", text_[at_]));
  }
  if (!doubled) return cell;
  std::string& text = unescaped_.emplace_back();
  for (size_t i = 0; i < cell.size(); ++i) {
    text += cell[i];
    if (cell[i] == '"') ++i;
  }
  return text;
}

}  // namespace nnc::runtime
