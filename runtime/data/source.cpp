#include "runtime/data/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/data/csv.h"
#include "runtime/data/csv_head.h"
#include "runtime/data/error.h"
#include "runtime/data/fields.h"
#include "runtime/data/idx.h"
#include "runtime/data/images.h"
#include "runtime/data/npy.h"
#include "runtime/memory_limit.h"

namespace nnc::runtime {
namespace {

using abi::DType;

// Fields in separate files or arrays must agree on the number of rows.
class RowCount {
 public:
  void add(const std::string& file, const std::string& field, int64_t rows) {
    if (rows_ < 0) {
      rows_ = rows;
      file_ = file;
      field_ = field;
    } else if (rows != rows_) {
      throw DataError(file, "", "the fields of one source have different numbers of rows",
                      fmt::format("{} rows, as field '{}' in {}", rows_, field_, file_),
                      fmt::format("{} rows in field '{}'", rows, field));
    }
  }
  int64_t rows() const { return rows_; }

 private:
  int64_t rows_ = -1;
  std::string file_, field_;
};

std::vector<CellKind> cell_kinds(const CsvSource& source, const DataSpec& spec) {
  std::vector<CellKind> kinds;
  for (const CsvColumns& columns : source.columns) {
    const FieldSpec* field = spec.field(columns.field);
    const bool words = field != nullptr && (!field->names.empty() || field->category() != nullptr);
    const bool index = field != nullptr && field->is_index();
    kinds.push_back(words ? CellKind::word : index ? CellKind::index : CellKind::number);
  }
  return kinds;
}

Column to_column(const std::string& file, const std::string& field, RawArray array) {
  Column column;
  column.file = file;
  column.name = field;
  column.dtype = array.header.dtype;
  column.row_shape = array.header.row_shape();
  column.bytes = std::move(array.bytes);
  return column;
}

// The numbers among the words that stand for missing values.
std::vector<double> missing_numbers(const Source& source) {
  std::vector<double> numbers;
  for (const std::string& word : source.missing)
    if (const auto number = csv_number(word)) numbers.push_back(*number);
  return numbers;
}

// Whether numbers of a field may stand for missing values: it is read as f64 then, whatever its
// source holds. Indices stay whole, and pictures as they are.
bool has_missing(const Source& source, const std::string& name, const DataSpec& spec) {
  const FieldSpec* field = spec.field(name);
  const bool number = field == nullptr || !field->is_index();
  return number && !std::holds_alternative<ImagesSource>(source.kind) &&
         !missing_numbers(source).empty();
}

// What stands for a missing value becomes NaN.
void mark_missing(const Source& source, const DataSpec& spec, Table& table) {
  const std::vector<double> missing = missing_numbers(source);
  for (Column& column : table.columns) {
    if (column.is_text || !has_missing(source, column.name, spec)) continue;
    const int64_t count = table.rows * column.row_elements();
    Buffer numbers(static_cast<size_t>(count) * sizeof(double));
    for (int64_t i = 0; i < count; ++i) {
      const double value = column.number(i);
      const bool stands = std::any_of(missing.begin(), missing.end(), [&](double m) {
        return value == m || (column.dtype == DType::f32 && value == static_cast<float>(m));
      });
      numbers.as<double>()[i] = stands ? std::numeric_limits<double>::quiet_NaN() : value;
    }
    column.bytes = std::move(numbers);
    column.dtype = DType::f64;
  }
}

// Probing: one overload a format, each adding its fields.
class Prober {
 public:
  Prober(const Source& source, const DataSpec& spec) : source_(source), spec_(spec) {}

  SourceInfo operator()(const IdxSource& source) {
    for (const FieldFile& file : source.files) add(file.path, file.field, probe_idx(file.path));
    return finish();
  }
  SourceInfo operator()(const NpySource& source) {
    for (const FieldFile& file : source.files) add(file.path, file.field, probe_npy(file.path));
    return finish();
  }
  SourceInfo operator()(const NpzSource& source) {
    for (const FieldArray& array : source.arrays) {
      add(source.path, array.field, probe_npz(source.path, array.array));
    }
    return finish();
  }
  SourceInfo operator()(const CsvSource& source) {
    csv_columns(source);
    info_.file = source.path;
    const std::vector<CellKind> kinds = cell_kinds(source, spec_);
    for (size_t i = 0; i < kinds.size(); ++i) {
      const CsvColumns& columns = source.columns[i];
      std::vector<int64_t> shape;
      if (columns.list) shape = {static_cast<int64_t>(columns.columns.size())};
      info_.fields.push_back(describe_field(source.path, columns.field, DType::f64, shape, spec_));
    }
    return std::move(info_);
  }
  SourceInfo operator()(const InlineSource& source) { return in_memory("inline data", source); }
  SourceInfo operator()(const GeneratedSource& source) {
    return in_memory("generated data", source);
  }
  SourceInfo operator()(const ImagesSource& source) {
    info_.file = source.folder;
    info_.rows = static_cast<int64_t>(list_images(source).paths.size());
    const std::vector<int64_t> shape{source.height, source.width, source.channels};
    info_.fields.push_back(describe_field(source.folder, source.field, DType::u8, shape, spec_));
    if (source.labels)
      info_.fields.push_back(describe_field(source.folder, "label", DType::i32, {}, spec_));
    return std::move(info_);
  }

 private:
  void add(const std::string& file, const std::string& field, const RawHeader& header) {
    if (info_.file.empty()) info_.file = file;
    count_.add(file, field, header.rows());
    const DType dtype = has_missing(source_, field, spec_) ? DType::f64 : header.dtype;
    info_.fields.push_back(describe_field(file, field, dtype, header.row_shape(), spec_));
  }
  // Rows that the description itself holds or makes.
  template <class Rows>
  SourceInfo in_memory(const std::string& file, const Rows& source) {
    info_.file = file;
    for (const auto& field : source.fields) {
      info_.fields.push_back(describe_field(file, field.field, DType::f64, field.row_shape, spec_));
    }
    info_.rows = source.rows;
    return std::move(info_);
  }
  SourceInfo finish() {
    info_.rows = count_.rows();
    return std::move(info_);
  }

  const Source& source_;
  const DataSpec& spec_;
  SourceInfo info_;
  RowCount count_;
};

// Reading: one overload a format.
class Reader {
 public:
  explicit Reader(const DataSpec& spec) : spec_(spec) {}

  Table operator()(const IdxSource& source) {
    for (const FieldFile& file : source.files) {
      add(file.path, file.field, read_idx(file.path, spec_.max_bytes));
    }
    return finish();
  }
  Table operator()(const NpySource& source) {
    for (const FieldFile& file : source.files) {
      add(file.path, file.field, read_npy(file.path, spec_.max_bytes));
    }
    return finish();
  }
  Table operator()(const NpzSource& source) {
    for (const FieldArray& array : source.arrays) {
      add(source.path, array.field, read_npz(source.path, array.array, spec_.max_bytes));
    }
    return finish();
  }
  Table operator()(const CsvSource& source) {
    return read_csv(source, cell_kinds(source, spec_), spec_.max_bytes);
  }
  Table operator()(const InlineSource& source) {
    return in_memory("inline data", source.rows, source.fields);
  }
  Table operator()(const GeneratedSource& source) {
    return in_memory("generated data", source.rows, source.make());
  }
  Table operator()(const ImagesSource& source) { return read_images(source, spec_.max_bytes); }

 private:
  void add(const std::string& file, const std::string& field, RawArray array) {
    if (table_.file.empty()) table_.file = file;
    count_.add(file, field, array.header.rows());
    table_.columns.push_back(to_column(file, field, std::move(array)));
  }
  Table in_memory(const std::string& file, int64_t rows, const std::vector<InlineField>& fields) {
    table_.file = file;
    table_.rows = rows;
    for (const InlineField& field : fields) add_inline(field);
    return std::move(table_);
  }
  void add_inline(const InlineField& field) {
    Column column;
    column.name = field.field;
    column.row_shape = field.row_shape;
    column.is_text = !field.words.empty();
    column.words = field.words;
    column.dtype = DType::f64;
    column.bytes = Buffer(field.numbers.size() * sizeof(double));
    std::copy(field.numbers.begin(), field.numbers.end(), column.bytes.as<double>());
    const auto values = static_cast<int64_t>(field.numbers.size() + field.words.size());
    if (values != table_.rows * column.row_elements()) {
      throw DataError(table_.file, fmt::format("field '{}'", field.field),
                      "another number of values than the rows need",
                      fmt::format("{} rows of {}", table_.rows, column.row_elements()),
                      fmt::format("{} values", values));
    }
    table_.columns.push_back(std::move(column));
  }
  Table finish() {
    table_.rows = count_.rows();
    return std::move(table_);
  }

  const DataSpec& spec_;
  Table table_;
  RowCount count_;
};

// One overload a format.
struct Name {
  std::string operator()(const IdxSource& source) { return source.files.at(0).path; }
  std::string operator()(const NpySource& source) { return source.files.at(0).path; }
  std::string operator()(const NpzSource& source) { return source.path; }
  std::string operator()(const CsvSource& source) { return source.path; }
  std::string operator()(const InlineSource&) { return "inline data"; }
  std::string operator()(const GeneratedSource&) { return "generated data"; }
  std::string operator()(const ImagesSource& source) { return source.folder; }
};

}  // namespace

std::string name_of(const Source& source) { return std::visit(Name{}, source.kind); }

uint64_t known_bytes(const SourceInfo& info) {
  constexpr int64_t most = most_elements * 8;  // of an array: sums of a few stay countable
  int64_t row = 0;
  for (const FieldInfo& field : info.fields) {
    row = std::min(row + std::min(field.row_bytes(), most), most);
  }
  return info.rows > 0 ? static_cast<uint64_t>(checked_product(row, info.rows)) : 0;
}

void check_memory(const std::string& file, uint64_t bytes, const DataSpec& spec) {
  if (spec.max_bytes == 0 || bytes <= spec.max_bytes) return;
  throw DataError(file, "", "the data does not fit into the memory limit",
                  at_most_memory(spec.max_bytes),
                  fmt::format("{} up to this file", memory_text(bytes)));
}

SourceInfo probe_source(const Source& source, const DataSpec& spec) {
  return std::visit(Prober(source, spec), source.kind);
}

Table read_source(const Source& source, const DataSpec& spec) {
  Table table = std::visit(Reader(spec), source.kind);
  mark_missing(source, spec, table);
  if (table.rows <= 0) throw DataError(table.file, "", "there are no rows");
  for (Column& column : table.columns) convert_words(table, column, spec);
  return table;
}

std::vector<int32_t> kept_rows(const Source& source, const Table& table, const DataSpec& spec) {
  std::vector<int32_t> rows;
  if (source.where) {
    const std::vector<uint8_t> keep = source.where(table);
    for (int64_t row = 0; row < table.rows; ++row) {
      if (keep[static_cast<size_t>(row)] != 0) rows.push_back(static_cast<int32_t>(row));
    }
    if (rows.empty()) throw DataError(table.file, "", "`where` keeps none of the rows");
  } else {
    rows.resize(static_cast<size_t>(table.rows));
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i);
  }
  for (const Column& column : table.columns) check_field(table, column, rows, spec);
  return rows;
}

}  // namespace nnc::runtime
