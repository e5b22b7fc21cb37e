#include "runtime/data/csv_match.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/data/csv_head.h"
#include "runtime/data/csv_look.h"
#include "runtime/data/error.h"

namespace nnc::runtime {
namespace {

using Cells = std::vector<std::string>;

const char* const both_ways = "`--header yes`: it holds names; `--header no`: it is a row";

int64_t elements(const CsvWanted& field) { return elements_of(field.row_shape); }

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class Matcher {
 public:
  Matcher(CsvSource source, const std::vector<CsvWanted>& fields, std::optional<bool> header)
      : fields_(fields), header_(header), result_{std::move(source), ""} {
    result_.source.columns.clear();
    for (const CsvWanted& field : fields)
      for (int64_t i = 0; i < elements(field); ++i) elements_.push_back(&field);
    lines_ = looked_at_lines(result_.source, sample_lines, elements_.size());
  }

  CsvMatch match() {
    if (header_ != false && (by_numbered_names() || by_names())) {
      result_.source.header = true;
      return std::move(result_);
    }
    const size_t skip = has_index() ? 1 : 0;
    result_.source.header = header_ ? *header_ : finds_header(skip);
    if (result_.source.header) check_named();
    by_position(skip);
    return std::move(result_);
  }

 private:
  static constexpr size_t sample_lines = 100;

  const Cells& first() const { return lines_[0].cells; }

  // An index that pandas wrote beside the columns has no name.
  bool has_index() const {
    return header_ != false && first().size() == elements_.size() + 1 && first()[0].empty() &&
           (counts_columns(1) || !is_row(first(), 1));
  }

  // x.0, x.1 …: as predictions are written.
  bool by_numbered_names() {
    std::vector<CsvColumns> found;
    for (const CsvWanted& field : fields_) {
      found.push_back({field.field, {}, !field.row_shape.empty()});
      for (int64_t i = 0; i < elements(field); ++i) {
        found.back().columns.push_back(fmt::format("{}.{}", field.field, i));
        if (!contains(first(), found.back().columns.back())) return false;
      }
    }
    result_.source.columns = std::move(found);
    return true;
  }

  bool all_single() const {
    return std::all_of(fields_.begin(), fields_.end(),
                       [](const CsvWanted& field) { return elements(field) == 1; });
  }

  bool by_names() {
    if (!all_single()) return false;
    for (const CsvWanted& field : fields_)
      if (!contains(first(), field.field)) return false;
    for (const CsvWanted& field : fields_)
      result_.source.columns.push_back({field.field, {field.field}, !field.row_shape.empty()});
    return true;
  }

  bool is_number(const std::string& cell) const {
    return csv_number(cell, result_.source.decimal).has_value();
  }

  // What may stand in a row. Words that nobody knows may be names just as well.
  bool fits(const std::string& cell, const CsvWanted& field) const {
    if (cell.empty() || contains(result_.source.missing, cell)) return true;
    return is_number(cell) || (field.is_words && contains(field.words, cell));
  }

  bool is_row(const Cells& cells, size_t skip) const {
    if (cells.size() != elements_.size() + skip) {
      return std::all_of(cells.begin(), cells.end(),
                         [&](const std::string& cell) { return is_number(cell); });
    }
    for (size_t i = 0; i < elements_.size(); ++i)
      if (!fits(cells[i + skip], *elements_[i])) return false;
    return true;
  }

  // 0, 1, 2 …: what pandas calls columns without names.
  bool counts_columns(size_t skip) const {
    for (size_t i = skip; i < first().size(); ++i)
      if (first()[i] != std::to_string(i - skip)) return false;
    return true;
  }

  // All numbers below are written with a point or an exponent, as floats are, unlike 0.
  bool floats_below() const {
    bool some = false;
    for (size_t line = 1; line < lines_.size(); ++line) {
      if (lines_[line].cells.size() != 1) return false;
      const std::string& cell = lines_[line].cells[0];
      if (cell.empty()) continue;
      if (cell.find_first_of(".eE") == std::string::npos) return false;
      some = true;
    }
    return some;
  }

  bool finds_header(size_t skip) {
    if (counts_columns(skip)) {
      const bool header = skip > 0 || first().size() > 1 || floats_below();
      const std::string line =
          fmt::format("line {} ({})", lines_[0].number, fmt::join(first(), ", "));
      result_.note =
          header ? line +
                       " counts the columns and was taken as their names; `--header no` reads "
                       "it as a row"
                 : line + " was read as a row; `--header yes` takes it as a name";
      return header;
    }
    if (is_row(first(), skip)) return false;
    const bool numbers = std::any_of(first().begin() + static_cast<int64_t>(skip), first().end(),
                                     [&](const std::string& cell) { return is_number(cell); });
    const bool words = std::any_of(elements_.begin(), elements_.end(),
                                   [](const CsvWanted* field) { return field->is_words; });
    if (first().size() == elements_.size() + skip && (numbers || words)) {
      const std::string keys = fitting_keys(result_.source, elements_.size());
      throw DataError(result_.source.path, fmt::format("line {}", lines_[0].number),
                      "this line is neither a row of the inputs nor names of them",
                      keys.empty() ? both_ways : keys, fmt::format("{}", fmt::join(first(), ", ")));
    }
    return true;
  }

  // Names decide, whatever their order: positions would take one for the other without a word.
  void check_named() const {
    if (!all_single() || fields_.size() == 1 || counts_columns(0)) return;
    for (const CsvWanted& field : fields_) {
      if (contains(first(), field.field)) continue;
      const std::string keys = fitting_keys(result_.source, elements_.size());
      throw DataError(result_.source.path, fmt::format("line {}", lines_[0].number),
                      fmt::format("there is no column '{}'", field.field),
                      keys.empty() ? "a column for each input; without a first line of names, "
                                     "columns in the order of the inputs"
                                   : keys,
                      fmt::format("{}", fmt::join(first(), ", ")));
    }
  }

  void by_position(size_t skip) {
    if (first().size() != elements_.size() + skip) {
      const std::string keys = fitting_keys(result_.source, elements_.size());
      throw DataError(result_.source.path, fmt::format("line {}", lines_[0].number),
                      "the table has another number of columns",
                      fmt::format("{} columns, one for each number of the inputs{}",
                                  elements_.size(), keys.empty() ? "" : ": " + keys),
                      fmt::format("{} columns", first().size()));
    }
    size_t next = skip;
    for (const CsvWanted& field : fields_) {
      CsvColumns columns{field.field, {}, !field.row_shape.empty()};
      for (int64_t i = 0; i < elements(field); ++i, ++next)
        columns.columns.push_back(std::to_string(next));
      result_.source.columns.push_back(std::move(columns));
    }
    result_.source.by_position = true;
  }

  const std::vector<CsvWanted>& fields_;
  std::optional<bool> header_;
  std::vector<CsvLine> lines_;
  std::vector<const CsvWanted*> elements_;  // for each column, its field
  CsvMatch result_;
};

}  // namespace

CsvMatch match_columns(CsvSource source, const std::vector<CsvWanted>& wanted,
                       std::optional<bool> header) {
  return Matcher(std::move(source), wanted, header).match();
}

}  // namespace nnc::runtime
