// What a person sees: colours (on terminals only), tables, and the line that shows progress.
#pragma once

#include <fmt/core.h>
#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace nnc::tool {

// Whether a stream is a terminal that shows colours (NO_COLOR and TERM=dumb switch them off).
bool is_terminal(int descriptor);

enum class Style { bold, dim, red, yellow, green };
// `text` in a style if standard output is a terminal.
std::string styled(const std::string& text, Style style);
// The same for standard error.
std::string styled_error(const std::string& text, Style style);

// Writes what can be written.
void write_text(std::FILE* file, const std::string& text);
// Sends what was printed on its way: why standard output cannot be written (errno), or 0.
int flush_output();
// Nobody needs to hear any more that it could not be written.
void forget_output();

// To standard error: where that is closed or full, the exit status says it all the same.
template <class... Values>
void print_error(fmt::format_string<Values...> format, Values&&... values) {
  write_text(stderr, fmt::format(format, std::forward<Values>(values)...));
}

// To standard output, of work that goes on without a reader: what it makes is on the disk. (main
// looks at last whether all has arrived; fmt::print throws at once.)
template <class... Values>
void print_progress(fmt::format_string<Values...> format, Values&&... values) {
  write_text(stdout, fmt::format(format, std::forward<Values>(values)...));
}

// "nnc: warning: …" and "nnc: note: …" on standard error.
void print_warning(const std::string& message);
void print_note(const std::string& message);
// One line of JSON on standard output, as a terminal may show it too.
void print_json(const nlohmann::ordered_json& json);

// Columns of texts, made printable and aligned by what they hold: numbers to the right, words to
// the left. As wide as the terminal at most (table.cpp).
class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  void add(std::vector<std::string> cells);
  // A line under the rows so far (before a sum).
  void rule() { rules_.push_back(rows_.size()); }
  std::string text() const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<size_t> rules_;
};

// One line on standard error that is written over and over; nothing if that is no terminal.
class ProgressLine {
 public:
  ProgressLine();
  void show(const std::string& text);
  void clear();

 private:
  bool active_ = false;
  bool shown_ = false;
};

}  // namespace nnc::tool
