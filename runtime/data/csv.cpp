#include "runtime/data/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "runtime/data/csv_scanner.h"
#include "runtime/data/error.h"
#include "runtime/data/stream.h"

namespace nnc::runtime {
namespace {

// One wanted column: where it stands in a line and where its numbers go.
struct Target {
  size_t position = 0;  // in the line
  size_t column = 0;    // of the table
  size_t element = 0;   // within the row
  CellKind kind = CellKind::number;
  std::string name;  // for messages: "column 'height'"
};

std::string name_of(const CsvSource& source, const std::string& column) {
  return source.header ? "column '" + column + "'" : "column " + column;
}

size_t position_of(const CsvSource& source, const std::vector<std::string>& columns,
                   const std::string& wanted) {
  const auto found = std::find(columns.begin(), columns.end(), wanted);
  if (found != columns.end()) {
    const auto again = std::find(found + 1, columns.end(), wanted);
    if (again == columns.end()) return static_cast<size_t>(found - columns.begin());
    throw DataError(source.path, "line 1", name_of(source, wanted) + " stands twice",
                    "a name of its own for every column that is read",
                    fmt::format("columns {} and {}, counted from 0", found - columns.begin(),
                                again - columns.begin()));
  }
  throw DataError(source.path, "line 1", "there is no " + name_of(source, wanted),
                  source.header ? fmt::format("one of {}", fmt::join(columns, ", "))
                                : fmt::format("0 … {}", columns.size() - 1));
}

std::vector<Target> find_targets(const CsvSource& source, const std::vector<CellKind>& kinds,
                                 const std::vector<std::string>& columns) {
  std::vector<Target> targets;
  for (size_t field = 0; field < source.columns.size(); ++field) {
    const std::vector<std::string>& wanted = source.columns[field].columns;
    for (size_t element = 0; element < wanted.size(); ++element) {
      targets.push_back({position_of(source, columns, wanted[element]), field, element,
                         kinds[field], name_of(source, wanted[element])});
    }
  }
  return targets;
}

// Parsed numbers of all columns before their type is chosen.
struct Cells {
  std::vector<double> numbers;
  std::vector<std::string> words;
};

class CsvReader {
 public:
  CsvReader(const CsvSource& source, const std::vector<CellKind>& kinds, const std::string& text)
      : source_(source), kinds_(kinds), scanner_(source.path, text, source.separator) {}

  // Calls cell by cell, line by line.
  void read(Table& table, std::vector<Cells>& cells) {
    std::vector<std::string_view> line;
    if (!scanner_.next(line)) throw DataError(source_.path, "", "there are no rows");
    const std::vector<std::string> columns = line_names(line);
    const size_t width = columns.size();
    const std::vector<Target> targets = find_targets(source_, kinds_, columns);
    if (source_.header && !scanner_.next(line)) {
      throw DataError(source_.path, "", "there are no rows after the header");
    }
    do {
      if (line.size() != width) {
        throw DataError(source_.path, fmt::format("line {}", scanner_.line()),
                        "this row has another number of cells",
                        fmt::format("{} cells, as in line 1", width),
                        fmt::format("{}", line.size()));
      }
      for (const Target& target : targets) {
        add(line[target.position], target, cells[target.column]);
      }
      table.lines.push_back(static_cast<int32_t>(scanner_.line()));
    } while (scanner_.next(line));
    table.rows = static_cast<int64_t>(table.lines.size());
  }

 private:
  std::vector<std::string> line_names(const std::vector<std::string_view>& line) const {
    std::vector<std::string> names;
    for (size_t i = 0; i < line.size(); ++i) {
      names.push_back(source_.header ? std::string(line[i]) : std::to_string(i));
    }
    return names;
  }

  bool is_missing(std::string_view cell) const {
    return std::find(source_.missing.begin(), source_.missing.end(), cell) != source_.missing.end();
  }

  void add(std::string_view cell, const Target& target, Cells& cells) {
    if (is_missing(cell)) {
      if (target.kind != CellKind::number) fail(target, "the cell is missing", "", cell);
      cells.numbers.push_back(std::numeric_limits<double>::quiet_NaN());
    } else if (target.kind == CellKind::word) {
      cells.words.emplace_back(cell);
    } else {
      cells.numbers.push_back(number(cell, target));
    }
  }

  double number(std::string_view cell, const Target& target) {
    const char* first = cell.data();
    const char* last = first + cell.size();
    if (first < last && *first == '+') ++first;
    double value = 0;
    const auto [end, error] = std::from_chars(first, last, value);
    if (error != std::errc() || end != last || !std::isfinite(value)) {
      const char* number = "a number (name words that stand for missing cells under `missing`)";
      if (target.kind == CellKind::index) {
        number =
            "an index from 0 (`names: [first, second, …]` or `prepare: [category]` for the "
            "field turns words into one)";
      } else if (!source_.missing.empty()) {
        number = "a number, or one of `missing`";
      }
      fail(target, cell.empty() ? "the cell is empty" : "this is not a number", number, cell);
    }
    if (target.kind == CellKind::index && value != std::floor(value)) {
      fail(target, "this is not an index", "a whole number from 0", cell);
    }
    return value;
  }

  [[noreturn]] void fail(const Target& target, const std::string& problem,
                         const std::string& expected, std::string_view cell) const {
    throw DataError(source_.path, fmt::format("line {}, {}", scanner_.line(), target.name), problem,
                    expected, fmt::format("'{}'", cell));
  }

  const CsvSource& source_;
  const std::vector<CellKind>& kinds_;
  CsvScanner scanner_;
};

template <class T>
Buffer converted(const std::vector<double>& numbers) {
  Buffer result(numbers.size() * sizeof(T));
  for (size_t i = 0; i < numbers.size(); ++i) {
    if constexpr (std::is_same_v<T, int32_t>) {
      result.as<T>()[i] = static_cast<T>(std::clamp(numbers[i], -2147483648.0, 2147483647.0));
    } else {
      result.as<T>()[i] = static_cast<T>(numbers[i]);
    }
  }
  return result;
}

// At least the first line that is not blank, however many columns it has.
std::string first_line(const std::string& path) {
  constexpr size_t chunk = size_t{1} << 16;
  constexpr size_t longest = size_t{1} << 26;
  const std::unique_ptr<ByteStream> stream = open_stream(path);
  std::string text;
  bool quoted = false;
  bool blank = true;
  while (text.size() < longest) {
    const size_t start = text.size();
    text.resize(start + chunk);
    text.resize(start + stream->read(text.data() + start, chunk));
    if (text.size() == start) break;
    for (size_t i = start; i < text.size(); ++i) {
      const bool ends = text[i] == '\n' || text[i] == '\r';
      if (text[i] == '"') quoted = !quoted;
      if (ends && !quoted && !blank) return text;
      blank = blank && ends;
    }
  }
  return text;
}

}  // namespace

std::vector<std::string> csv_columns(const CsvSource& source) {
  const std::string text = first_line(source.path);
  CsvScanner scanner(source.path, text, source.separator);
  std::vector<std::string_view> line;
  if (!scanner.next(line)) throw DataError(source.path, "", "there are no rows");
  std::vector<std::string> names;
  for (size_t i = 0; i < line.size(); ++i) {
    names.push_back(source.header ? std::string(line[i]) : std::to_string(i));
  }
  for (const CsvColumns& field : source.columns) {
    for (const std::string& wanted : field.columns) position_of(source, names, wanted);
  }
  return names;
}

Table read_csv(const CsvSource& source, const std::vector<CellKind>& kinds, abi::DType precision,
               uint64_t max_bytes) {
  const std::string text = read_all(source.path, max_bytes);
  Table table;
  table.file = source.path;
  std::vector<Cells> cells(source.columns.size());
  CsvReader(source, kinds, text).read(table, cells);
  for (size_t i = 0; i < cells.size(); ++i) {
    const CsvColumns& field = source.columns[i];
    Column column;
    column.name = field.field;
    if (field.list) column.row_shape = {static_cast<int64_t>(field.columns.size())};
    column.is_text = kinds[i] == CellKind::word;
    column.dtype = kinds[i] == CellKind::number ? precision : abi::DType::i32;
    if (column.is_text) {
      column.words = std::move(cells[i].words);
    } else if (column.dtype == abi::DType::i32) {
      column.bytes = converted<int32_t>(cells[i].numbers);
    } else if (column.dtype == abi::DType::f64) {
      column.bytes = converted<double>(cells[i].numbers);
    } else {
      column.bytes = converted<float>(cells[i].numbers);
    }
    table.columns.push_back(std::move(column));
  }
  return table;
}

}  // namespace nnc::runtime
