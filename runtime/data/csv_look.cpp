#include "runtime/data/csv_look.h"

#include <algorithm>

#include "runtime/data/csv_head.h"
#include "runtime/data/csv_text.h"
#include "runtime/data/error.h"

namespace nnc::runtime {
namespace {

constexpr size_t sample_lines = 50;

std::string name_of(char separator) {
  return separator == '\t' ? "tab" : separator == ' ' ? "space" : std::string(1, separator);
}

// Where the wanted columns stand in lines of this width; all columns if none are named. Empty if
// they are not there.
std::vector<size_t> positions(const CsvSource& source, const CsvLine& first, size_t width) {
  const std::vector<std::string> names = column_names(source, first.cells);
  std::vector<size_t> result;
  for (const CsvColumns& field : source.columns) {
    for (const std::string& wanted : field.columns) {
      const auto found = std::find(names.begin(), names.end(), wanted);
      if (found == names.end()) return {};
      result.push_back(static_cast<size_t>(found - names.begin()));
    }
  }
  if (!source.columns.empty()) return result;
  if (width > 0 && names.size() != width) return {};
  for (size_t i = 0; i < names.size(); ++i) result.push_back(i);
  return result;
}

// Whether some cells there are numbers with a decimal comma, and none with a point.
bool has_decimal_comma(const std::vector<CsvLine>& lines, const std::vector<size_t>& columns) {
  bool commas = false;
  for (const CsvLine& line : lines)
    for (const size_t column : columns) {
      const std::string& cell = line.cells[column];
      if (cell.find('.') != std::string::npos && csv_number(cell, '.')) return false;
      commas = commas || (!csv_number(cell, '.') && csv_number(cell, ','));
    }
  return commas;
}

// The first lines by this separator, if they have all equally many cells.
std::vector<CsvLine> even_lines(CsvSource source, char separator) try {
  source.separator = separator;
  std::vector<CsvLine> lines = csv_first_lines(source, sample_lines);
  const size_t width = lines[0].cells.size();
  const bool even = std::all_of(lines.begin(), lines.end(),
                                [&](const CsvLine& line) { return line.cells.size() == width; });
  return even ? lines : std::vector<CsvLine>{};
} catch (const DataError&) {
  return {};
}

}  // namespace

std::string fitting_keys(const CsvSource& source, size_t width) {
  for (const char separator : {source.separator, ';', ',', '\t', '|', ' '}) {
    const std::vector<CsvLine> lines = even_lines(source, separator);
    if (lines.empty()) continue;
    const std::vector<size_t> columns = positions(source, lines[0], width);
    if (columns.empty()) continue;
    const bool comma = source.decimal == '.' && has_decimal_comma(lines, columns);
    const bool other = separator != source.separator;
    if (!comma && (!other || lines[0].cells.size() == 1)) continue;  // one cell fits anything
    std::vector<std::pair<std::string, std::string>> keys;
    if (other) keys.emplace_back("separator", name_of(separator));
    if (comma) keys.emplace_back("decimal", ",");
    return csv_advice(source, keys);
  }
  return "";
}

std::vector<CsvLine> looked_at_lines(const CsvSource& source, size_t most, size_t width) try {
  return csv_first_lines(source, most);
} catch (const DataError& error) {
  // Quotes end before a separator: another than this, perhaps.
  const bool quotes = error.problem.find("quote") != std::string::npos;
  const std::string keys = quotes ? fitting_keys(source, width) : "";
  if (keys.empty()) throw;
  throw DataError(error.file, error.place, error.problem, keys, error.got);
}

}  // namespace nnc::runtime
