#include "tools/nnc/input_rows.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "compiler/support/text.h"
#include "runtime/data/error.h"
#include "runtime/data/load.h"
#include "tools/nnc/terminal.h"

namespace nnc::tool {

namespace {

enum class Format { csv, npy, npz, idx, picture };

// An input of the model, as it was trained.
struct Input {
  const runtime::FieldInfo* field = nullptr;
  int64_t elements() const {
    int64_t n = 1;
    for (int64_t d : field->row_shape) n *= d;
    return n;
  }
};

struct File {
  std::string path;   // what is read
  std::string shown;  // what messages call it
  std::vector<Input> inputs;
};

// Standard input as a file, removed at the end.
class StandardInput {
 public:
  StandardInput() {
    const std::string pattern =
        (std::filesystem::temp_directory_path() / "nnc-rows-XXXXXX").string();
    std::vector<char> name(pattern.begin(), pattern.end());
    name.push_back(0);
    const int file = mkstemp(name.data());
    if (file < 0) throw runtime::DataError("standard input", "", "no room for a temporary copy");
    close(file);
    path_ = name.data();
    std::ofstream copy(path_, std::ios::binary);
    copy << std::cin.rdbuf();
  }
  ~StandardInput() { std::filesystem::remove(path_); }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string first_bytes(const File& file) {
  std::ifstream stream(file.path, std::ios::binary);
  if (!stream) throw runtime::DataError(file.shown, "", "the file cannot be opened");
  std::string bytes(6, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(stream.gcount()));
  return bytes;
}

Format format_of(const File& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file.path, error)) return Format::picture;
  const std::string bytes = first_bytes(file);
  if (bytes.rfind("\x93NUMPY", 0) == 0) return Format::npy;
  if (bytes.rfind("PK", 0) == 0) return Format::npz;
  if (bytes.rfind("\x89PNG", 0) == 0 || bytes.rfind("\xff\xd8\xff", 0) == 0) return Format::picture;
  if (bytes.rfind("\x1f\x8b", 0) == 0) return Format::idx;
  if (bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0) return Format::idx;
  return Format::csv;
}

std::vector<std::string> cells_of_first_line(const std::string& path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  std::vector<std::string> cells;
  std::string cell;
  bool in_quotes = false;
  for (char c : line) {
    if (c == '"') {
      in_quotes = !in_quotes;
    } else if (c == ',' && !in_quotes) {
      cells.push_back(std::exchange(cell, {}));
    } else {
      cell += c;
    }
  }
  cells.push_back(cell);
  return cells;
}

// The columns of the model's own csv data for these inputs, if it has them all.
const runtime::CsvSource* own_csv(const Trained& trained) {
  if (!trained.model.data.train) return nullptr;
  return std::get_if<runtime::CsvSource>(&trained.model.data.train->kind);
}

bool own_columns(const Trained& trained, const File& file, runtime::CsvSource& to) {
  const runtime::CsvSource* own = own_csv(trained);
  if (own == nullptr) return false;
  to.header = own->header;
  to.separator = own->separator;
  to.missing = own->missing;
  for (const Input& input : file.inputs) {
    for (const runtime::CsvColumns& columns : own->columns) {
      if (columns.field == input.field->name) to.columns.push_back(columns);
    }
  }
  return to.columns.size() == file.inputs.size();
}

// The columns by their names, whatever their order, if each input is one number: positions would
// take one for the other without a word.
bool named_columns(const File& file, const std::vector<std::string>& cells,
                   runtime::CsvSource& source) {
  const auto& inputs = file.inputs;
  const bool single = std::all_of(inputs.begin(), inputs.end(),
                                  [](const Input& input) { return input.elements() == 1; });
  if (!source.header || !single || (cells.size() == 1 && inputs.size() == 1)) return false;
  for (const Input& input : inputs) {
    const std::string& name = input.field->name;
    if (std::find(cells.begin(), cells.end(), name) == cells.end()) {
      throw runtime::DataError(file.shown, "line 1", fmt::format("there is no column '{}'", name),
                               "a column for each input; without a first line of names, columns "
                               "in the order of the inputs",
                               join(cells));
    }
    source.columns.push_back({name, {name}, !input.field->row_shape.empty()});
  }
  return true;
}

// Columns x.0, x.1 … of an input x: as predictions are written.
std::vector<std::string> numbered(const Input& input) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < input.elements(); ++i)
    names.push_back(fmt::format("{}.{}", input.field->name, i));
  return names;
}

bool numbered_columns(const File& file, const std::vector<std::string>& cells,
                      runtime::CsvSource& source) {
  const std::set<std::string> there(cells.begin(), cells.end());
  std::vector<runtime::CsvColumns> found;
  for (const Input& input : file.inputs) {
    found.push_back({input.field->name, numbered(input), !input.field->row_shape.empty()});
    for (const std::string& name : found.back().columns)
      if (there.count(name) == 0) return false;
  }
  source.columns = std::move(found);
  return true;
}

runtime::CsvSource csv_source(const Trained& trained, const File& file) {
  runtime::CsvSource source;
  source.path = file.path;
  if (own_columns(trained, file, source)) return source;
  source.columns.clear();
  const auto cells = cells_of_first_line(file.path);
  source.header = std::any_of(cells.begin(), cells.end(), [](const std::string& cell) {
    return !parse_number(cell).has_value();
  });
  if (source.header && numbered_columns(file, cells, source)) return source;
  if (named_columns(file, cells, source)) return source;
  size_t wanted = 0;
  for (const Input& input : file.inputs) wanted += static_cast<size_t>(input.elements());
  if (cells.size() != wanted) {
    throw runtime::DataError(file.shown, "line 1", "the table has another number of columns",
                             fmt::format("{} columns, one for each number of the inputs", wanted),
                             fmt::format("{} columns", cells.size()));
  }
  size_t next = 0;
  for (const Input& input : file.inputs) {
    runtime::CsvColumns columns{input.field->name, {}, !input.field->row_shape.empty()};
    for (int64_t i = 0; i < input.elements(); ++i, ++next) {
      columns.columns.push_back(source.header ? cells[next] : std::to_string(next));
    }
    source.columns.push_back(std::move(columns));
  }
  return source;
}

runtime::NpzSource npz_source(const Trained& trained, const File& file) {
  runtime::NpzSource source{file.path, {}};
  const runtime::NpzSource* own =
      trained.model.data.train ? std::get_if<runtime::NpzSource>(&trained.model.data.train->kind)
                               : nullptr;
  for (const Input& input : file.inputs) {
    std::string array = input.field->name;
    if (own != nullptr) {
      for (const runtime::FieldArray& known : own->arrays) {
        if (known.field == input.field->name) array = known.array;
      }
    }
    source.arrays.push_back({input.field->name, array});
  }
  return source;
}

const Input& only_input(const File& file, const char* format) {
  if (file.inputs.size() == 1) return file.inputs[0];
  throw CommandError(Exit::usage,
                     fmt::format("{}: {} file holds one input, the model has {}", file.shown,
                                 format, file.inputs.size()),
                     fmt::format("name them: --in {}={}", file.inputs[0].field->name, file.shown));
}

// Pictures are brought to the size of the input, as those of the model's own data were.
runtime::ImagesSource picture_source(const Trained& trained, const File& file) {
  const runtime::FieldInfo& field = *only_input(file, "a picture").field;
  const std::vector<int64_t>& shape = field.row_shape;
  const int64_t channels = shape.size() == 2 ? 1 : shape.size() == 3 ? shape[2] : 0;
  if (field.dtype != abi::DType::u8 || (channels != 1 && channels != 3)) {
    throw runtime::DataError(file.shown, "",
                             fmt::format("the input '{}' is no picture", field.name),
                             "an input of bytes, [height, width, 1 or 3]",
                             field.dtype == abi::DType::u8 ? "bytes in rows of " + shape_text(shape)
                                                           : "numbers that are no bytes");
  }
  runtime::ImagesSource source;
  source.folder = file.path;
  source.height = shape[0];
  source.width = shape[1];
  source.channels = channels;
  source.field = field.name;
  source.labels = false;
  if (trained.model.data.train) {
    const auto* own = std::get_if<runtime::ImagesSource>(&trained.model.data.train->kind);
    if (own != nullptr) source.fit = own->fit;
  }
  return source;
}

runtime::Source source_of(const Trained& trained, const File& file) {
  switch (format_of(file)) {
    case Format::npz: return {npz_source(trained, file), {}};
    case Format::npy:
      return {runtime::NpySource{{{only_input(file, "an npy").field->name, file.path}}}, {}};
    case Format::idx:
      return {runtime::IdxSource{{{only_input(file, "an idx").field->name, file.path}}}, {}};
    case Format::picture: return {picture_source(trained, file), {}};
    case Format::csv: break;
  }
  return {csv_source(trained, file), {}};
}

std::vector<Input> inputs_of(const Trained& trained) {
  std::vector<Input> result;
  for (const Name& name : trained.model.description.model.inputs) {
    for (const runtime::FieldInfo& field : trained.fields) {
      if (field.name == name.text) result.push_back({&field});
    }
  }
  return result;
}

std::vector<std::string> names_of(const std::vector<Input>& inputs) {
  std::vector<std::string> names;
  for (const Input& input : inputs) names.push_back(input.field->name);
  return names;
}

// Which file holds which inputs.
std::vector<File> files_of(const std::vector<std::string>& arguments,
                           const std::vector<Input>& inputs) {
  std::vector<File> files;
  std::vector<std::string> missing = names_of(inputs);
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    if (equals == std::string::npos) {
      files.push_back({argument, argument, inputs});
      missing.clear();
      continue;
    }
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const Input& candidate) {
      return candidate.field->name == name;
    });
    if (input == inputs.end()) {
      throw CommandError(Exit::usage, fmt::format("--in: the model has no input '{}'", name),
                         "its inputs are " + join(names_of(inputs)));
    }
    const std::string path = argument.substr(equals + 1);
    files.push_back({path, path, {*input}});
    missing.erase(std::remove(missing.begin(), missing.end(), name), missing.end());
  }
  if (files.size() > 1 && std::any_of(files.begin(), files.end(),
                                      [&](const File& file) { return file.inputs.size() > 1; })) {
    throw CommandError(Exit::usage, "--in: several files need the names of their inputs",
                       "--in a=x.npy --in b=y.npy");
  }
  if (!missing.empty()) {
    throw CommandError(Exit::usage, "--in: no file for " + join(missing),
                       fmt::format("--in {}=FILE", missing[0]));
  }
  return files;
}

std::shared_ptr<const runtime::Table> read_file(const Trained& trained, File file,
                                                const runtime::DataSpec& spec) {
  std::optional<StandardInput> standard_input;
  if (file.path == "-") {
    standard_input.emplace();
    file.path = standard_input->path();
    file.shown = "standard input";
  }
  try {
    return runtime::load_table(source_of(trained, file), spec);
  } catch (const runtime::DataError& error) {
    if (error.file != file.path) throw;
    throw runtime::DataError(file.shown, error.place, error.problem, error.expected, error.got);
  }
}

}  // namespace

std::shared_ptr<const runtime::Table> read_input_rows(const std::vector<std::string>& arguments,
                                                      const Trained& trained) {
  const std::vector<Input> inputs = inputs_of(trained);
  runtime::DataSpec spec = trained.model.data;
  spec.ranges.clear();  // of targets: here, nothing is one
  for (const Input& input : inputs) {
    auto found = std::find_if(spec.fields.begin(), spec.fields.end(),
                              [&](const auto& field) { return field.name == input.field->name; });
    if (found == spec.fields.end()) {
      found = spec.fields.insert(spec.fields.end(), runtime::FieldSpec{});
      found->name = input.field->name;
    }
    found->shape = input.field->row_shape;
  }
  std::shared_ptr<runtime::Table> all;
  for (const File& file : files_of(arguments, inputs)) {
    const auto table = read_file(trained, file, spec);
    if (!all) {
      all = std::make_shared<runtime::Table>();
      all->file = table->file;
      all->rows = table->rows;
      all->lines = table->lines;
    } else if (table->rows != all->rows) {
      throw runtime::DataError(file.shown, "", "the inputs have different numbers of rows",
                               fmt::format("{} rows, as in {}", all->rows, all->file),
                               fmt::format("{} rows", table->rows));
    }
    // This table is ours alone: its columns may be taken out of it.
    for (runtime::Column& column : std::const_pointer_cast<runtime::Table>(table)->columns) {
      all->columns.push_back(std::move(column));
    }
  }
  return raw_rows(*all, runtime::all_rows(all).rows, trained.model.description);
}

}  // namespace nnc::tool
