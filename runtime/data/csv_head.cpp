#include "runtime/data/csv_head.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "runtime/data/csv_look.h"
#include "runtime/data/csv_scanner.h"
#include "runtime/data/csv_text.h"
#include "runtime/data/error.h"
#include "runtime/utf8.h"

namespace nnc::runtime {
namespace {

constexpr size_t first_piece = size_t{1} << 16;
constexpr size_t longest_head = size_t{1} << 26;

// Lines of the beginning of a file; none if it may go on in the last of them.
std::vector<CsvLine> whole_lines(const CsvSource& source, const std::string& text, bool ended,
                                 size_t most) try {
  CsvScanner scanner(source.path, text, source.separator);
  std::vector<CsvLine> lines;
  std::vector<std::string_view> line;
  while (lines.size() < most && scanner.next(line))
    lines.push_back({{line.begin(), line.end()}, scanner.line()});
  return ended || !scanner.at_end() ? lines : std::vector<CsvLine>{};
} catch (const DataError&) {
  if (ended) throw;
  return {};  // in quotes
}

bool is_space(char c) { return c == ' ' || c == '\t'; }

}  // namespace

std::optional<double> csv_number(std::string_view cell, char decimal) {
  while (!cell.empty() && is_space(cell.front())) cell.remove_prefix(1);
  while (!cell.empty() && is_space(cell.back())) cell.remove_suffix(1);
  if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-') cell.remove_prefix(1);
  std::string pointed;  // a decimal comma as a point; 1.500,25 is no number, nor is 1.500
  if (decimal != '.' && cell.find_first_of(".,") != std::string_view::npos) {
    if (cell.find('.') != std::string_view::npos) return std::nullopt;
    pointed = cell;
    pointed[pointed.find(decimal)] = '.';
    cell = pointed;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (end != cell.data() + cell.size() || cell.empty()) return std::nullopt;
  // Too small or too large for a double: strtod tells which, 0 or infinity.
  if (error == std::errc::result_out_of_range)
    return std::strtod(std::string(cell).c_str(), nullptr);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::vector<CsvLine> csv_first_lines(const CsvSource& source, size_t most) {
  const std::unique_ptr<ByteStream> stream = open_csv(source);
  std::string text;
  bool ended = false;
  for (size_t piece = first_piece; !ended; piece = text.size()) {
    const size_t start = text.size();
    text.resize(start + piece);
    text.resize(start + stream->read(text.data() + start, piece));
    ended = text.size() < start + piece || text.size() >= longest_head;
    std::vector<CsvLine> lines = whole_lines(source, text, ended, most);
    if (!lines.empty()) return lines;
  }
  throw DataError(source.path, "", "there are no rows");
}

std::string column_name(const CsvSource& source, const std::string& column) {
  return has_names(source) ? "column '" + column + "'" : "column " + column;
}

namespace {

// Says which names there are, unless they are there in another encoding or between other
// separators.
[[noreturn]] void no_column(const CsvSource& source, const std::string& place,
                            const std::vector<std::string>& columns, const std::string& wanted) {
  if (has_names(source))
    for (const std::string& name : columns)
      if (!is_utf8(name)) not_utf8(source, place, name);
  const std::string keys = fitting_keys(source);
  const std::string there = has_names(source) ? fmt::format("one of {}", fmt::join(columns, ", "))
                                              : fmt::format("0 … {}", columns.size() - 1);
  throw DataError(source.path, place, "there is no " + column_name(source, wanted),
                  keys.empty() ? there : keys,
                  keys.empty() ? "" : fmt::format("{}", fmt::join(columns, ", ")));
}

}  // namespace

size_t column_position(const CsvSource& source, int64_t line,
                       const std::vector<std::string>& columns, const std::string& wanted) {
  const std::string place = fmt::format("line {}", line);
  const auto found = std::find(columns.begin(), columns.end(), wanted);
  if (found != columns.end()) {
    const auto again = std::find(found + 1, columns.end(), wanted);
    if (again == columns.end()) return static_cast<size_t>(found - columns.begin());
    throw DataError(source.path, place, column_name(source, wanted) + " stands twice",
                    "a name of its own for every column that is read",
                    fmt::format("columns {} and {}, counted from 0", found - columns.begin(),
                                again - columns.begin()));
  }
  no_column(source, place, columns, wanted);
}

std::vector<std::string> csv_columns(const CsvSource& source) {
  const CsvLine first = looked_at_lines(source, 1)[0];
  std::vector<std::string> names = column_names(source, first.cells);
  for (const CsvColumns& field : source.columns)
    for (const std::string& wanted : field.columns)
      column_position(source, first.number, names, wanted);
  return names;
}

}  // namespace nnc::runtime
