#include "tools/workbench/input_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/support/text.h"
#include "runtime/data/csv_match.h"
#include "runtime/data/error.h"
#include "runtime/data/format.h"
#include "runtime/data/npy.h"
#include "tools/workbench/error.h"
#include "tools/workbench/readable.h"

namespace nnc::workbench {

namespace {

using runtime::FieldInfo;

// What the model's own rows were read from, if it is of this kind.
template <class Kind>
const Kind* own_source(const Trained& trained) {
  const auto& train = trained.model.data.train;
  return train ? std::get_if<Kind>(&train->kind) : nullptr;
}

struct File {
  const std::string& path;
  const std::string& shown;
  const std::vector<const FieldInfo*>& inputs;
  const Trained& trained;
};

// The columns of the model's own csv data for these inputs, if it has them all.
bool own_columns(const File& file, runtime::CsvSource& to) {
  const auto* own = own_source<runtime::CsvSource>(file.trained);
  if (own == nullptr) return false;
  to = *own;
  to.path = file.path;
  to.columns.clear();
  for (const FieldInfo* input : file.inputs)
    for (const runtime::CsvColumns& columns : own->columns)
      if (columns.field == input->name) to.columns.push_back(columns);
  return to.columns.size() == file.inputs.size();
}

InputSource csv_source(const File& file, const CsvReading& reading) {
  runtime::CsvSource source;
  source.path = file.path;
  const bool own = own_columns(file, source);
  source.by_options = true;
  const auto& train = file.trained.model.data.train;
  if (!own && train) source.missing = train->missing;
  source.separator = reading.separator.value_or(source.separator);
  source.decimal = reading.decimal.value_or(source.decimal);
  source.encoding = reading.encoding.value_or(source.encoding);
  if (own && reading.header.value_or(source.header) == source.header) return {{source, {}}, ""};
  std::vector<runtime::CsvWanted> wanted;
  for (const FieldInfo* input : file.inputs) {
    const runtime::FieldSpec* field = file.trained.model.data.field(input->name);
    const bool words = field != nullptr && (!field->names.empty() || field->category() != nullptr);
    wanted.push_back({input->name, input->row_shape, input->vocabulary, words});
  }
  runtime::CsvMatch match = runtime::match_columns(source, wanted, reading.header);
  return {{std::move(match.source), {}}, std::move(match.note)};
}

// Arrays are called as in the model's own data, else as the inputs; a lone array needs no name.
runtime::NpzSource npz_source(const File& file) {
  runtime::NpzSource source{file.path, {}};
  const auto* own = own_source<runtime::NpzSource>(file.trained);
  const std::vector<std::string> there = runtime::npz_arrays(file.path);
  for (const FieldInfo* input : file.inputs) {
    std::string array = input->name;
    if (own != nullptr)
      for (const runtime::FieldArray& known : own->arrays)
        if (known.field == input->name) array = known.array;
    const bool lone = there.size() == 1 && file.inputs.size() == 1;
    source.arrays.push_back({input->name, lone ? there[0] : array});
  }
  return source;
}

const FieldInfo& only_input(const File& file, const char* format) {
  if (file.inputs.size() == 1) return *file.inputs[0];
  throw WorkError(Fault::request,
                  fmt::format("{}: {} file holds one input, there are {}", file.shown, format,
                              file.inputs.size()),
                  fmt::format("name them: --in {}={}", file.inputs[0]->name, file.shown));
}

// Pictures are brought to the size of the input, as those of the model's own data were.
runtime::ImagesSource picture_source(const File& file) {
  const FieldInfo& field = only_input(file, "a picture");
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
  const auto* own = own_source<runtime::ImagesSource>(file.trained);
  if (own != nullptr) source.fit = own->fit;
  return source;
}

InputSource of_format(const File& file, const CsvReading& csv) {
  switch (runtime::format_of(file.path)) {
    case runtime::Format::zip: return {{npz_source(file), {}}, ""};
    case runtime::Format::npy:
      return {{runtime::NpySource{{{only_input(file, "an npy").name, file.path}}}, {}}, ""};
    case runtime::Format::idx:
      return {{runtime::IdxSource{{{only_input(file, "an idx").name, file.path}}}, {}}, ""};
    case runtime::Format::picture:
    case runtime::Format::folder: return {{picture_source(file), {}}, ""};
    case runtime::Format::text:
    case runtime::Format::other: break;
  }
  return csv_source(file, csv);
}

}  // namespace

InputSource input_source(const std::string& path, const std::string& shown,
                         const std::vector<const FieldInfo*>& inputs, const Trained& trained,
                         const CsvReading& csv) {
  InputSource result = of_format({path, shown, inputs, trained}, csv);
  if (trained.model.data.train) result.source.missing = trained.model.data.train->missing;
  return result;
}

}  // namespace nnc::workbench
