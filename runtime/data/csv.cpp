#include "runtime/data/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "runtime/data/csv_head.h"
#include "runtime/data/csv_look.h"
#include "runtime/data/csv_scanner.h"
#include "runtime/data/csv_text.h"
#include "runtime/data/error.h"
#include "runtime/utf8.h"

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

std::vector<Target> find_targets(const CsvSource& source, const std::vector<CellKind>& kinds,
                                 int64_t line, const std::vector<std::string>& columns) {
  std::vector<Target> targets;
  for (size_t field = 0; field < source.columns.size(); ++field) {
    const std::vector<std::string>& wanted = source.columns[field].columns;
    for (size_t element = 0; element < wanted.size(); ++element) {
      targets.push_back({column_position(source, line, columns, wanted[element]), field, element,
                         kinds[field], column_name(source, wanted[element])});
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
    const std::vector<std::string> columns = column_names(source_, line);
    const size_t width = columns.size();
    const int64_t first = scanner_.line();
    const std::vector<Target> targets = find_targets(source_, kinds_, first, columns);
    if (source_.header && !scanner_.next(line)) {
      throw DataError(source_.path, "", "there are no rows after the header");
    }
    do {
      if (line.size() != width) {
        const std::string keys = fitting_keys(source_);
        throw DataError(source_.path, fmt::format("line {}", scanner_.line()),
                        "this row has another number of cells",
                        fmt::format("{} cells, as in line {}{}", width, first,
                                    keys.empty() ? "" : ", or " + keys),
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
  bool is_missing(std::string_view cell) const {
    return std::find(source_.missing.begin(), source_.missing.end(), cell) != source_.missing.end();
  }

  void add(std::string_view cell, const Target& target, Cells& cells) {
    const bool missing = is_missing(cell);
    if (target.kind == CellKind::word) {
      if (!missing && !is_utf8(cell)) not_utf8(source_, place(target), cell);
      cells.words.emplace_back(missing ? "" : cell);
    } else if (missing || cell.find_first_not_of(" \t") == cell.npos) {
      cells.numbers.push_back(std::numeric_limits<double>::quiet_NaN());
    } else {
      cells.numbers.push_back(number(cell, target));
    }
  }

  double number(std::string_view cell, const Target& target) {
    const std::optional<double> value = csv_number(cell, source_.decimal);
    if (value && std::isnan(*value)) return *value;
    if (!value || std::isinf(*value)) {
      const char* number = "a number (name words that stand for missing cells under `missing`)";
      if (target.kind == CellKind::index) {
        number =
            "an index from 0 (`names: [first, second, …]` or `prepare: [category]` for the "
            "field turns words into one)";
      } else if (!source_.missing.empty()) {
        number = "a number, or one of `missing`";
      }
      if (!is_utf8(cell)) not_utf8(source_, place(target), cell);
      // Another separator, or a decimal comma.
      const bool between = cell.find_first_of(",;|\t ") != std::string_view::npos;
      const std::string keys = between ? fitting_keys(source_) : "";
      if (!keys.empty()) fail(target, "this is not a number", keys, cell);
      fail(target, "this is not a number", number, cell);
    }
    if (target.kind == CellKind::index && *value != std::floor(*value)) {
      fail(target, "this is not an index", "a whole number from 0", cell);
    }
    return *value;
  }

  std::string place(const Target& target) const {
    return fmt::format("line {}, {}", scanner_.line(), target.name);
  }

  [[noreturn]] void fail(const Target& target, const std::string& problem,
                         const std::string& expected, std::string_view cell) const {
    throw DataError(source_.path, place(target), problem, expected, fmt::format("'{}'", cell));
  }

  const CsvSource& source_;
  const std::vector<CellKind>& kinds_;
  CsvScanner scanner_;
};

}  // namespace

Table read_csv(const CsvSource& source, const std::vector<CellKind>& kinds, uint64_t max_bytes) {
  const std::string text = read_all(*open_csv(source), source.path, max_bytes);
  Table table;
  table.file = source.path;
  std::vector<Cells> cells(source.columns.size());
  CsvReader(source, kinds, text).read(table, cells);
  for (size_t i = 0; i < cells.size(); ++i) {
    const CsvColumns& field = source.columns[i];
    Column column;
    column.name = field.field;
    if (field.list) column.row_shape = {static_cast<int64_t>(field.columns.size())};
    for (const std::string& name : field.columns) column.cells.push_back(column_name(source, name));
    column.is_text = kinds[i] == CellKind::word;
    column.dtype = abi::DType::f64;
    column.words = std::move(cells[i].words);
    std::vector<double>& numbers = cells[i].numbers;
    column.bytes = Buffer(numbers.size() * sizeof(double));
    std::copy(numbers.begin(), numbers.end(), column.bytes.as<double>());
    numbers = {};
    table.columns.push_back(std::move(column));
  }
  return table;
}

std::vector<std::string> read_csv_words(const CsvSource& source, const std::string& column,
                                        uint64_t max_bytes) {
  CsvSource alone = source;
  alone.missing.clear();
  alone.columns = {{column, {column}, false}};
  return std::move(read_csv(alone, {CellKind::word}, max_bytes).columns[0].words);
}

}  // namespace nnc::runtime
