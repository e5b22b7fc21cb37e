#include "runtime/data/fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <unordered_map>

#include "runtime/data/error.h"
#include "runtime/data/prepare.h"

namespace nnc::runtime {
namespace {

using abi::DType;

std::string bracketed(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

template <class From, class To>
Buffer cast(const Buffer& from) {
  const size_t count = from.size() / sizeof(From);
  Buffer to(count * sizeof(To));
  for (size_t i = 0; i < count; ++i) to.as<To>()[i] = static_cast<To>(from.as<From>()[i]);
  return to;
}

template <class To>
Buffer cast_to(const Column& column) {
  switch (column.dtype) {
    case DType::u8: return cast<uint8_t, To>(column.bytes);
    case DType::i32: return cast<int32_t, To>(column.bytes);
    case DType::i64: return cast<int64_t, To>(column.bytes);
    case DType::f32: return cast<float, To>(column.bytes);
    default: return cast<double, To>(column.bytes);
  }
}

// Labels; what the check of the used rows lets pass is whole and in range.
Buffer to_indices(const Column& column, int64_t count) {
  Buffer indices(static_cast<size_t>(count) * sizeof(int32_t));
  for (int64_t i = 0; i < count; ++i) {
    const double value = column.number(i);
    indices.as<int32_t>()[i] =
        std::isnan(value) ? -1
                          : static_cast<int32_t>(std::clamp(value, -2147483648.0, 2147483647.0));
  }
  return indices;
}

std::unordered_map<std::string, int32_t> index_of(const std::vector<std::string>& words) {
  std::unordered_map<std::string, int32_t> result;
  for (size_t i = 0; i < words.size(); ++i) result.emplace(words[i], static_cast<int32_t>(i));
  return result;
}

void words_to_indices(Column& column, const std::vector<std::string>& vocabulary, int32_t unknown) {
  const std::unordered_map<std::string, int32_t> index = index_of(vocabulary);
  column.bytes = Buffer(column.words.size() * sizeof(int32_t));
  column.dtype = DType::i32;
  for (size_t i = 0; i < column.words.size(); ++i) {
    const auto found = index.find(column.words[i]);
    column.bytes.as<int32_t>()[i] = found == index.end() ? unknown : found->second;
  }
}

// The shortest text of a number in its own type; missing numbers are empty words.
std::string word_of(const Column& column, int64_t i) {
  if (column.dtype == DType::i64) return fmt::format("{}", column.bytes.as<int64_t>()[i]);
  if (std::isnan(column.number(i))) return "";
  if (column.dtype == DType::f32) return fmt::format("{}", column.bytes.as<float>()[i]);
  return fmt::format("{}", column.number(i));
}

void numbers_to_words(const Table& table, Column& column) {
  const int64_t count = table.rows * column.row_elements();
  for (int64_t i = 0; i < count; ++i) column.words.push_back(word_of(column, i));
  column.is_text = true;
  column.bytes = Buffer();
}

// Classes that stand as their numbers, 0, 1 …, where no name is a number itself.
void codes_to_indices(Column& column, const std::vector<std::string>& names) {
  const auto code_of = [](const std::string& word) {
    int32_t code = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), code);
    return error == std::errc() && end == word.data() + word.size() ? code : -1;
  };
  const auto is_code = [&](const std::string& word) { return code_of(word) >= 0; };
  if (std::any_of(names.begin(), names.end(), is_code)) return;
  auto* indices = column.bytes.as<int32_t>();
  for (size_t i = 0; i < column.words.size(); ++i) {
    const int32_t code = indices[i] < 0 ? code_of(column.words[i]) : -1;
    if (code >= 0 && code < static_cast<int32_t>(names.size())) indices[i] = code;
  }
}

// The number of classes that names or `classes` give; 0 for fields that are not indices.
int64_t declared_classes(const FieldSpec* field) {
  if (field == nullptr) return 0;
  if (!field->names.empty()) return static_cast<int64_t>(field->names.size());
  if (field->category() != nullptr) return category_classes(*field, field->vocabulary);
  return field->classes;
}

}  // namespace

const PrepareStep* FieldSpec::category() const {
  for (const PrepareStep& step : prepare) {
    if (step.kind == PrepareStep::Kind::category) return &step;
  }
  return nullptr;
}

const FieldSpec* DataSpec::field(const std::string& name) const {
  for (const FieldSpec& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

int64_t category_classes(const FieldSpec& field, const std::vector<std::string>& vocabulary) {
  return static_cast<int64_t>(vocabulary.size()) + (field.category()->unknown_is_own ? 1 : 0);
}

namespace {

// Whether the extents, but those of 1, are the same in another order.
bool is_permuted(std::vector<int64_t> a, std::vector<int64_t> b) {
  std::erase(a, 1);
  std::erase(b, 1);
  if (a == b) return false;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

// Numbers keep their order in another shape; axes in another order would need them moved.
void check_axes(const std::string& file, const std::string& name,
                const std::vector<int64_t>& stored, const std::vector<int64_t>& shape) {
  if (!is_permuted(stored, shape)) return;
  throw DataError(file, fmt::format("field '{}'", name),
                  "the rows are stored with their axes in another order",
                  fmt::format("rows of {}, the field's shape (numpy.moveaxis brings channels to "
                              "the end)",
                              bracketed(shape)),
                  fmt::format("rows of {}", bracketed(stored)));
}

}  // namespace

FieldInfo describe_field(const std::string& file, const std::string& name, DType dtype,
                         const std::vector<int64_t>& row_shape, const DataSpec& spec) {
  const FieldSpec* field = spec.field(name);
  FieldInfo info{.name = name,
                 .dtype = dtype,
                 .row_shape = row_shape,
                 .classes = declared_classes(field),
                 .vocabulary = {}};
  if (dtype == DType::i64 || dtype == DType::f64) info.dtype = spec.precision;
  if (field == nullptr) return info;
  info.prepared = prepared_in(*field, dtype, spec.precision);
  if (info.prepared == Prepared::in_program_f64) info.dtype = DType::f64;
  if (info.prepared == Prepared::while_loading) info.dtype = DType::f32;
  if (field->is_index()) info.dtype = DType::i32;
  info.vocabulary = field->category() != nullptr ? field->vocabulary : field->names;
  if (field->shape) {
    if (elements_of(*field->shape) != elements_of(row_shape)) {
      throw DataError(file, fmt::format("field '{}'", name),
                      "the rows have another size than the field's shape",
                      fmt::format("{} numbers a row, for shape {}", elements_of(*field->shape),
                                  bracketed(*field->shape)),
                      fmt::format("{} numbers a row, in rows of {}", elements_of(row_shape),
                                  bracketed(row_shape)));
    }
    check_axes(file, name, row_shape, *field->shape);
    info.row_shape = *field->shape;
  }
  return info;
}

void convert_words(Table& table, Column& column, const DataSpec& spec) {
  const FieldSpec* field = spec.field(column.name);
  column.row_shape =
      describe_field(file_of(table, column), column.name, column.dtype, column.row_shape, spec)
          .row_shape;
  if (!column.is_text || (field != nullptr && field->category() != nullptr)) return;
  if (field == nullptr || field->names.empty()) {
    throw DataError(file_of(table, column), element_place(table, column, 0),
                    "a word in a field of numbers",
                    "numbers, or `names` or `prepare: [category]` for this field",
                    fmt::format("'{}'", column.words.empty() ? "" : column.words[0]));
  }
  words_to_indices(column, field->names, -1);
  codes_to_indices(column, field->names);
}

void store_field(const Table& table, Column& column, const DataSpec& spec) {
  const FieldSpec* field = spec.field(column.name);
  const FieldInfo info =
      describe_field(file_of(table, column), column.name, column.dtype, column.row_shape, spec);
  if (field != nullptr && field->category() != nullptr) {
    if (!column.is_text) numbers_to_words(table, column);
    for (std::string& word : column.words)
      if (is_missing_word(word)) word.clear();  // one word for all of them
  } else if (info.dtype == DType::i32 && info.dtype != column.dtype) {
    column.bytes = to_indices(column, table.rows * column.row_elements());
    column.dtype = info.dtype;
  } else if (info.dtype != column.dtype && info.prepared != Prepared::while_loading) {
    column.bytes = info.dtype == DType::f64 ? cast_to<double>(column) : cast_to<float>(column);
    column.dtype = info.dtype;
  }
}

namespace {

[[noreturn]] void missing(const Table& table, const Column& column, int64_t i,
                          const std::string& others = "") {
  throw DataError(
      file_of(table, column), cell_place(table, column, i),
      table.lines.empty() ? "a value is missing" : "a cell is missing",
      fmt::format("no missing values; `where: \"not missing({})\"` leaves such rows out{}",
                  column.name, others));
}

void check_indices(const Table& table, const Column& column, const std::vector<int32_t>& rows,
                   const FieldSpec& field) {
  const int64_t classes = declared_classes(&field);
  const int64_t width = column.row_elements();
  for (int32_t row : rows) {
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      const double value = column.number(i);
      if (value >= 0 && value < static_cast<double>(classes) && value == std::floor(value))
        continue;
      const std::string* word = column.is_text ? &column.words[static_cast<size_t>(i)] : nullptr;
      if (word != nullptr ? is_missing_word(*word) : std::isnan(value)) {
        missing(table, column, i);
      }
      const std::string place = element_place(table, column, i);
      if (word != nullptr) {
        throw DataError(file_of(table, column), place, "this word is not one of the field's names",
                        fmt::format("one of {}", fmt::join(field.names, ", ")),
                        fmt::format("'{}'", *word));
      }
      if (value != std::floor(value) || std::isinf(value)) {
        throw DataError(file_of(table, column), place, "this is not an index",
                        "a whole number from 0", fmt::format("{}", value));
      }
      throw DataError(file_of(table, column), place, "the label is out of range",
                      fmt::format("0 … {} (classes: {}); `prepare: [category]` numbers any labels",
                                  classes - 1, classes),
                      word_of(column, i));
    }
  }
}

// The first of these rows' elements that is not in the range; -1: there is none.
template <typename T>
int64_t first_outside(const Column& column, const std::vector<int32_t>& rows,
                      const FieldRange& range) {
  const int64_t width = column.row_elements();
  const T* values = column.bytes.as<T>();
  for (int32_t row : rows)
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      const auto value = static_cast<double>(values[i]);
      if (value < range.lowest || value > range.highest) return i;
    }
  return -1;
}

void check_range(const Table& table, const Column& column, const std::vector<int32_t>& rows,
                 const FieldRange& range) {
  const int64_t at = column.dtype == DType::u8    ? first_outside<uint8_t>(column, rows, range)
                     : column.dtype == DType::i32 ? first_outside<int32_t>(column, rows, range)
                     : column.dtype == DType::i64 ? first_outside<int64_t>(column, rows, range)
                     : column.dtype == DType::f64 ? first_outside<double>(column, rows, range)
                                                  : first_outside<float>(column, rows, range);
  if (at < 0) return;
  throw DataError(file_of(table, column), element_place(table, column, at),
                  "the target is out of range",
                  std::isinf(range.highest)
                      ? fmt::format("{} or more ({})", range.lowest, range.reason)
                      : fmt::format("{} … {} ({})", range.lowest, range.highest, range.reason),
                  word_of(column, at));
}

// The first of these rows' elements that is NaN; -1: there is none.
int64_t first_nan(const Column& column, const std::vector<int32_t>& rows) {
  const auto find = [&](const auto* values) {
    const int64_t width = column.row_elements();
    for (int32_t row : rows)
      for (int64_t i = row * width; i < (row + 1) * width; ++i)
        if (std::isnan(values[i])) return i;
    return int64_t{-1};
  };
  if (column.dtype == DType::f32) return find(column.bytes.as<float>());
  if (column.dtype == DType::f64) return find(column.bytes.as<double>());
  return -1;
}

// Missing words are a class of their own only if the file says so.
void check_words(const Table& table, const Column& column, const std::vector<int32_t>& rows,
                 const FieldSpec& field) {
  if (field.category()->missing_is_own) return;
  const int64_t width = column.row_elements();
  for (int32_t row : rows)
    for (int64_t i = row * width; i < (row + 1) * width; ++i)
      if (column.is_text ? is_missing_word(column.words[static_cast<size_t>(i)])
                         : std::isnan(column.number(i)))
        missing(table, column, i, ", `category: {missing: own}` makes a class of them");
}

bool imputes(const FieldSpec* field) {
  return field != nullptr &&
         std::any_of(field->prepare.begin(), field->prepare.end(), [](const PrepareStep& step) {
           return step.kind == PrepareStep::Kind::impute;
         });
}

// A logarithm reaches numbers above a bound only; after other steps nobody can tell which.
void check_log(const Table& table, const Column& column, const std::vector<int32_t>& rows,
               const FieldSpec& field) {
  const PrepareStep& step = field.prepare[0];
  if (step.kind != PrepareStep::Kind::log) return;
  const int64_t width = column.row_elements();
  for (int32_t row : rows) {
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      if (!(column.number(i) + step.a <= 0)) continue;
      throw DataError(
          file_of(table, column), element_place(table, column, i), "log cannot prepare this number",
          fmt::format("a number above {}", 0 - step.a), fmt::format("{}", column.number(i)));
    }
  }
}

}  // namespace

void check_field(const Table& table, const Column& column, const std::vector<int32_t>& rows,
                 const DataSpec& spec) {
  const FieldSpec* field = spec.field(column.name);
  if (field != nullptr && field->category() != nullptr) {
    check_words(table, column, rows, *field);
    return;
  }
  if (field != nullptr && field->is_index()) {
    check_indices(table, column, rows, *field);
    return;
  }
  if (field != nullptr && !field->prepare.empty()) check_log(table, column, rows, *field);
  if (field == nullptr || field->prepare.empty())
    for (const FieldRange& range : spec.ranges)
      if (range.field == column.name) check_range(table, column, rows, range);
  if (imputes(field)) return;
  const int64_t at = first_nan(column, rows);
  if (at >= 0) missing(table, column, at, ", `prepare: [{impute: median}]` fills them");
}

namespace {

template <class T>
std::optional<T> parsed(const std::string& word) {
  T value{};
  const char* last = word.data() + word.size();
  const auto [end, error] = std::from_chars(word.data(), last, value);
  return error == std::errc() && end == last ? std::optional(value) : std::nullopt;
}

// Sorts words that all are numbers of this kind by their numbers, a missing one first; false if
// some are not.
template <class T>
bool sorted_as(std::vector<std::string>& words) {
  std::vector<std::pair<T, std::string>> order;
  for (const std::string& word : words) {
    const auto value =
        word.empty() ? std::optional(std::numeric_limits<T>::lowest()) : parsed<T>(word);
    if (!value) return false;
    order.emplace_back(*value, word);
  }
  std::sort(order.begin(), order.end());
  for (size_t i = 0; i < words.size(); ++i) words[i] = std::move(order[i].second);
  return true;
}

}  // namespace

std::vector<std::string> learn_vocabulary(const Column& column, const std::vector<int32_t>& rows) {
  const auto width = static_cast<size_t>(column.row_elements());
  std::set<std::string> seen;
  for (int32_t row : rows) {
    const size_t first = static_cast<size_t>(row) * width;
    seen.insert(column.words.begin() + static_cast<int64_t>(first),
                column.words.begin() + static_cast<int64_t>(first + width));
  }
  std::vector<std::string> words(seen.begin(), seen.end());
  if (!sorted_as<int64_t>(words)) sorted_as<double>(words);
  return words;
}

void with_indices(Table& table, const DataSpec& spec, const std::function<void()>& work) {
  std::vector<Column*> columns;
  for (const FieldSpec& field : spec.fields) {
    Column* column = table.find(field.name);
    if (column == nullptr || field.category() == nullptr || field.vocabulary.empty()) continue;
    if (!column->is_text) continue;
    words_to_indices(*column, field.vocabulary, -1);
    columns.push_back(column);
  }
  work();
  for (Column* column : columns) column->bytes = Buffer();
}

void apply_vocabulary(const Table& table, Column& column, const FieldSpec& field,
                      const std::vector<std::string>& vocabulary,
                      const std::vector<int32_t>& rows) {
  const bool own = field.category()->unknown_is_own;
  words_to_indices(column, vocabulary, own ? static_cast<int32_t>(vocabulary.size()) : -1);
  const int64_t width = column.row_elements();
  const auto* values = column.bytes.as<int32_t>();
  for (int32_t row : rows) {
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      if (values[i] >= 0) continue;
      throw DataError(file_of(table, column), element_place(table, column, i),
                      "this word did not occur in the training rows",
                      "one of the words seen in training, or `category: {unknown: own}`",
                      fmt::format("'{}'", column.words[static_cast<size_t>(i)]));
    }
  }
  column.words.clear();
  column.is_text = false;
}

}  // namespace nnc::runtime
