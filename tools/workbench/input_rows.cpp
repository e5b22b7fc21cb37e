#include "tools/workbench/input_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "compiler/language/describe.h"
#include "runtime/data/csv.h"
#include "runtime/data/csv_head.h"
#include "runtime/data/error.h"
#include "runtime/data/load.h"
#include "tools/workbench/error.h"
#include "tools/workbench/generate.h"
#include "tools/workbench/input_files.h"
#include "tools/workbench/input_source.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/spooled_input.h"

namespace nnc::workbench {

namespace {

using runtime::Column;

// The data of the model as its inputs alone are read.
runtime::DataSpec input_spec(const std::vector<const runtime::FieldInfo*>& inputs,
                             const Trained& trained) {
  runtime::DataSpec spec = trained.model.data;
  spec.ranges.clear();  // of targets: here, nothing is one
  for (const runtime::FieldInfo* input : inputs) {
    auto found = std::find_if(spec.fields.begin(), spec.fields.end(),
                              [&](const auto& field) { return field.name == input->name; });
    if (found == spec.fields.end()) {
      found = spec.fields.insert(spec.fields.end(), runtime::FieldSpec{});
      found->name = input->name;
    }
    found->shape = input->row_shape;
  }
  return spec;
}

// Messages about a copy name what it was made of.
template <class Work>
auto naming(const std::string& path, const std::string& shown, const Work& work) {
  try {
    return work();
  } catch (const runtime::DataError& error) {
    if (error.file != path) throw;
    throw runtime::DataError(shown, error.place, error.problem, error.expected, error.got);
  }
}

// The cells of the id column, if there is one to look for; with files for each input, it stands in
// one of them.
std::vector<std::string> ids_of(const runtime::Source& source, const CsvReading& csv, bool alone,
                                const runtime::DataSpec& spec) {
  const auto* table = std::get_if<runtime::CsvSource>(&source.kind);
  if (csv.id.empty() || table == nullptr) return {};
  runtime::CsvSource named = *table;
  named.by_position = false;
  const auto names = runtime::column_names(named, runtime::csv_first_lines(named, 1)[0].cells);
  if (!alone && std::find(names.begin(), names.end(), csv.id) == names.end()) return {};
  return runtime::read_csv_words(named, csv.id, spec.max_bytes);
}

// Rows that training left out are predicted all the same, but not without a word.
void note_where(const runtime::Table& table, const Trained& trained, const std::string& shown,
                InputRows& result) {
  const language::Split* train =
      trained.model.description.data ? trained.model.description.data->split("train") : nullptr;
  if (train == nullptr || !train->where) return;
  for (const Name& name : language::names_in(*train->where->root))
    if (table.find(name.text) == nullptr) return;  // nobody can tell
  const std::vector<uint8_t> keep = row_filter(*train->where)(table);
  const int64_t out = std::count(keep.begin(), keep.end(), 0);
  if (out == 0) return;
  result.notes.push_back(fmt::format(
      "{}: `where` of the training rows would leave out {} of {} rows, which are predicted all the "
      "same",
      shown, with_commas(out), with_commas(table.rows)));
}

// One file's rows, as the program takes them.
std::shared_ptr<runtime::Table> read_file(const std::string& argument, const InputGroup& group,
                                          bool alone, const Trained& trained,
                                          const abi::EntryDesc& entry, const CsvReading& csv,
                                          InputRows& result) {
  std::optional<SpooledInput> spooled;
  if (is_stream(argument)) spooled.emplace(argument);
  const std::string path = spooled ? spooled->path() : argument;
  const std::string shown = argument == "-" ? "standard input" : argument;
  return naming(path, shown, [&] {
    const InputSource source = input_source(path, shown, group.inputs, trained, csv);
    if (!source.note.empty()) result.notes.push_back(shown + ": " + source.note);
    const runtime::DataSpec spec = input_spec(group.inputs, trained);
    const auto table = runtime::load_table(source.source, spec);
    auto raw = raw_rows(*table, runtime::all_rows(table).rows, entry.inputs);
    raw->files = !table->files.empty() ? table->files : ids_of(source.source, csv, alone, spec);
    note_where(*table, trained, shown, result);
    for (Column& column : raw->columns) column.parts = {{0, shown, table->lines}};
    return raw;
  });
}

void check_same_rows(const InputGroup& first, int64_t rows, const InputGroup& other,
                     int64_t other_rows) {
  if (rows == other_rows) return;
  throw runtime::DataError(other.paths[0], "", "the inputs have different numbers of rows",
                           fmt::format("{} rows, as in {}", rows, first.paths[0]),
                           fmt::format("{} rows", other_rows));
}

// The rows of tables with the same columns, of the same types, one after the other.
std::shared_ptr<runtime::Table> joined(const std::vector<std::shared_ptr<runtime::Table>>& tables) {
  if (tables.size() == 1) return tables[0];
  auto result = std::make_shared<runtime::Table>();
  result->file = tables[0]->file;
  for (const auto& table : tables) result->rows += table->rows;
  for (size_t i = 0; i < tables[0]->columns.size(); ++i) {
    Column column;
    column.name = tables[0]->columns[i].name;
    column.dtype = tables[0]->columns[i].dtype;
    column.row_shape = tables[0]->columns[i].row_shape;
    column.bytes = runtime::Buffer(static_cast<size_t>(result->rows) * column.row_bytes());
    int64_t row = 0;
    for (const auto& table : tables) {
      Column& from = table->columns[i];
      std::memcpy(column.bytes.as<char>() + static_cast<size_t>(row) * column.row_bytes(),
                  from.bytes.data(), from.bytes.size());
      for (runtime::Part& part : from.parts) {
        part.first += row;
        column.parts.push_back(std::move(part));
      }
      from.bytes = runtime::Buffer();
      row += table->rows;
    }
    result->columns.push_back(std::move(column));
  }
  // Names of pictures only where every row is one.
  for (const auto& table : tables)
    result->files.insert(result->files.end(), table->files.begin(), table->files.end());
  if (result->files.size() != static_cast<size_t>(result->rows)) result->files.clear();
  return result;
}

}  // namespace

InputRows read_input_rows(const std::vector<std::string>& arguments, const Trained& trained,
                          const abi::EntryDesc& entry, const CsvReading& csv) {
  InputRows result;
  std::shared_ptr<runtime::Table> all;
  const EntryInputs inputs = inputs_of(trained, entry);
  const std::vector<InputGroup> groups = input_groups(arguments, inputs);
  for (const InputGroup& group : groups) {
    std::vector<std::shared_ptr<runtime::Table>> tables;
    for (const std::string& path : group.paths)
      tables.push_back(read_file(path, group, groups.size() == 1, trained, entry, csv, result));
    const auto rows = joined(tables);
    if (!all) {
      all = rows;
      continue;
    }
    check_same_rows(groups[0], all->rows, group, rows->rows);
    if (all->files.empty()) all->files = rows->files;
    for (Column& column : rows->columns) all->columns.push_back(std::move(column));
  }
  result.ids = std::move(all->files);
  all->files.clear();
  if (!csv.id.empty() && result.ids.empty()) {
    throw WorkError(Fault::request, "--id: every row needs a cell of that column",
                    "only csv files have columns; pictures are named by their files");
  }
  result.table = all;
  return result;
}

}  // namespace nnc::workbench
