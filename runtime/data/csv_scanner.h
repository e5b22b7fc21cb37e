// Cuts the text of a csv file into lines of cells.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace nnc::runtime {

class CsvScanner {
 public:
  // `text` must outlive the scanner. `file` is for messages. Where spaces are the separator,
  // several count as one. A first line sep=; (which Excel writes) is passed over.
  CsvScanner(std::string file, std::string_view text, char separator);

  // The next line that is not blank (of spaces neither); cells point into the text, or into the
  // scanner until the next call. Spaces around a cell without quotes are left out. Throws DataError
  // for a quote that does not end.
  bool next(std::vector<std::string_view>& cells);
  // The line of the file at which the cells of the last call start, from 1.
  int64_t line() const { return line_; }
  bool at_end() const { return at_ >= text_.size(); }

 private:
  std::string_view quoted_cell();
  std::string_view plain_cell();
  bool at_end_of_line() const;
  bool at_separator() const;
  void skip_end_of_line();
  void skip_blanks();

  std::string file_;
  std::string_view text_;
  char separator_;
  size_t at_ = 0;
  int64_t line_ = 0;
  int64_t next_line_ = 1;
  std::deque<std::string> unescaped_;  // cells with doubled quotes
};

}  // namespace nnc::runtime
