#include "tools/workbench/data_spec.h"

#include <algorithm>
#include <limits>

#include "compiler/layers/losses.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/text.h"
#include "runtime/data/csv_text.h"
#include "runtime/data/images.h"
#include "runtime/memory_limit.h"
#include "tools/workbench/generate.h"

namespace nnc::workbench {

namespace {

// The fields of a source with free keys (idx, npy, inline).
std::vector<runtime::FieldFile> field_files(const Args& args) {
  std::vector<runtime::FieldFile> result;
  for (const auto& [name, value] : args.values()) result.push_back({name.text, value.text()});
  return result;
}

runtime::CsvSource csv_source(const Args& args) {
  runtime::CsvSource result;
  result.path = args.text("file");
  result.header = args.boolean("header");
  if (args.has("missing")) result.missing = args.texts("missing");
  const auto separator = runtime::separator_named(args.text("separator"));
  if (!separator) {
    throw UserError(args.span("separator"), "this cannot stand between cells",
                    "one character such as ; or |, or tab or space",
                    in_quotes(args.text("separator")));
  }
  result.separator = *separator;
  result.decimal = args.text("decimal")[0];
  result.encoding = args.text("encoding");
  if (!runtime::knows_encoding(result.encoding)) {
    throw UserError(args.span("encoding"), "this encoding is not known",
                    "one that iconv knows, such as utf-8, latin1, windows-1252 or utf-16",
                    in_quotes(result.encoding));
  }
  for (const auto& [name, value] : args.at("columns").map()) {
    runtime::CsvColumns columns{name.text, {}, value.is_list()};
    if (columns.list) {
      for (const Value& column : value.list()) columns.columns.push_back(column.text());
    } else {
      columns.columns.push_back(value.text());
    }
    result.columns.push_back(std::move(columns));
  }
  return result;
}

runtime::NpzSource npz_source(const Args& args) {
  runtime::NpzSource result;
  result.path = args.text("file");
  for (const auto& [name, value] : args.at("arrays").map()) {
    result.arrays.push_back({name.text, value.text()});
  }
  return result;
}

runtime::InlineSource inline_source(const Args& args) {
  runtime::InlineSource result;
  for (const auto& [name, value] : args.values()) {
    runtime::InlineField field;
    field.field = name.text;
    int64_t rows = 0;
    if (value.is_array()) {
      const ArrayValue& array = value.array();
      if (array.shape.empty()) {
        throw UserError(value.span, "inline data is a list with one item for each row", "[0, 1, 1]",
                        "a single number");
      }
      rows = array.shape[0];
      field.row_shape.assign(array.shape.begin() + 1, array.shape.end());
      field.numbers = array.numbers;
    } else {
      for (const Value& word : value.list()) field.words.push_back(word.text());
      rows = static_cast<int64_t>(field.words.size());
    }
    if (!result.fields.empty() && rows != result.rows) {
      throw UserError(value.span, "the fields of inline data have different numbers of rows",
                      std::to_string(result.rows) + " rows, as in '" + result.fields[0].field + "'",
                      std::to_string(rows) + " rows");
    }
    result.rows = rows;
    result.fields.push_back(std::move(field));
  }
  return result;
}

runtime::ImagesSource images_source(const Args& args) {
  const std::vector<int64_t> size = args.integers("size");
  runtime::ImagesSource result;
  result.folder = args.text("folder");
  result.height = size[0];
  result.width = size[1];
  result.channels = args.integer("channels");
  result.fit = args.text("fit") == "crop" ? runtime::Fit::crop : runtime::Fit::stretch;
  return result;
}

// The folders say which classes there are; nobody has to read the pictures for that.
void name_image_classes(runtime::DataSpec& data) {
  const auto* images = data.train ? std::get_if<runtime::ImagesSource>(&data.train->kind) : nullptr;
  if (images == nullptr) return;
  for (runtime::FieldSpec& field : data.fields) {
    if (field.name == "label" && field.category() != nullptr) {
      field.vocabulary = runtime::image_classes(*images);
    }
  }
}

runtime::PrepareStep prepare_step(const language::Choice& choice) {
  using Kind = runtime::PrepareStep::Kind;
  runtime::PrepareStep step;
  const Args& args = choice.args;
  if (choice.kind == "scale") {
    step.kind = Kind::scale;
    step.a = args.number("factor");
  } else if (choice.kind == "log") {
    step.kind = Kind::log;
    step.a = args.number("offset");
  } else if (choice.kind == "clip") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    step.kind = Kind::clip;
    step.a = args.has("low") ? args.number("low") : -infinity;
    step.b = args.has("high") ? args.number("high") : infinity;
  } else if (choice.kind == "impute") {
    using Fill = runtime::PrepareStep::Fill;
    const Value& value = args.at("value");
    step.kind = Kind::impute;
    step.fill = value.is_number()          ? Fill::number
                : value.text() == "median" ? Fill::median
                                           : Fill::mean;
    if (value.is_number()) step.a = value.number();
  } else if (choice.kind == "standardize") {
    step.kind = Kind::standardize;
  } else if (choice.kind == "minmax") {
    step.kind = Kind::minmax;
    step.a = args.number("low");
    step.b = args.number("high");
  } else if (choice.kind == "category") {
    step.kind = Kind::category;
    step.unknown_is_own = args.text("unknown") == "own";
    step.missing_is_own = args.text("missing") == "own";
  } else if (choice.kind == "one_hot") {
    step.kind = Kind::one_hot;
  } else {
    throw InternalError("prepare step '" + choice.kind + "' is not known to the runtime");
  }
  return step;
}

runtime::FieldSpec field_spec(const language::Field& field) {
  runtime::FieldSpec result;
  result.name = field.name.text;
  if (field.shape) result.shape = field.shape->value;
  if (field.classes) result.classes = field.classes->value;
  result.names = field.class_names;
  for (const language::Choice& choice : field.prepare)
    result.prepare.push_back(prepare_step(choice));
  return result;
}

// Mixup of one field mixes the targets, too.
bool is_augmented(const language::Description& description, const language::Field& field) {
  if (!field.augment.empty()) return true;
  const std::vector<Name>& inputs = description.model.inputs;
  const bool is_input = std::any_of(inputs.begin(), inputs.end(),
                                    [&](const Name& name) { return name.text == field.name.text; });
  if (is_input) return false;
  const auto mixes = [](const language::Choice& step) { return step.kind == "mixup"; };
  const auto& fields = description.data->fields;
  return std::any_of(fields.begin(), fields.end(), [&](const language::Field& other) {
    return std::any_of(other.augment.begin(), other.augment.end(), mixes);
  });
}

// What losses ask of the fields that they take as targets.
std::vector<runtime::FieldRange> target_ranges(const language::Description& description) {
  std::vector<runtime::FieldRange> ranges;
  if (!description.loss) return ranges;
  for (const language::Term& term : description.loss->terms) {
    const layers::LossDef* loss = term.loss ? layers::find_loss(term.loss->kind) : nullptr;
    if (loss == nullptr || !loss->target_range || !term.loss->args.has("target")) continue;
    const auto [lowest, highest] = *loss->target_range;
    ranges.push_back({term.loss->args.reference("target").text, lowest, highest, term.loss->kind});
  }
  return ranges;
}

runtime::Fraction fraction(const language::Fraction& from) {
  return {from.share.value, from.stratify ? from.stratify->text : "",
          static_cast<uint64_t>(from.seed.value)};
}

}  // namespace

runtime::Source source_of(const language::Split& split) {
  const language::Choice& choice = *split.source;
  runtime::Source result;
  if (choice.kind == "idx") {
    result.kind = runtime::IdxSource{field_files(choice.args)};
  } else if (choice.kind == "npy") {
    result.kind = runtime::NpySource{field_files(choice.args)};
  } else if (choice.kind == "npz") {
    result.kind = npz_source(choice.args);
  } else if (choice.kind == "csv") {
    result.kind = csv_source(choice.args);
  } else if (choice.kind == "images") {
    result.kind = images_source(choice.args);
  } else if (choice.kind == "inline") {
    result.kind = inline_source(choice.args);
  } else if (choice.kind == "generate") {
    result.kind = generated_source(choice.args);
  } else {
    throw InternalError("data source '" + choice.kind + "' is not known to the runtime");
  }
  if (split.where) result.where = row_filter(*split.where);
  result.missing = split.missing;
  // Words that csv cells are compared with; of numbers -999 is -999.0 too.
  if (auto* csv = std::get_if<runtime::CsvSource>(&result.kind)) {
    csv->missing.insert(csv->missing.end(), split.missing.begin(), split.missing.end());
    result.missing = csv->missing;
  }
  return result;
}

runtime::DataSpec data_spec(const language::Description& description) {
  runtime::DataSpec result;
  result.max_bytes = runtime::memory_limit();
  result.precision =
      description.precision == language::Precision::f64 ? abi::DType::f64 : abi::DType::f32;
  if (!description.data) return result;
  for (const language::Split& split : description.data->splits) {
    const std::string& name = split.name.text;
    auto& source = name == "train" ? result.train : name == "valid" ? result.valid : result.test;
    if (split.source) source = source_of(split);
    if (split.fraction) {
      (name == "valid" ? result.valid_fraction : result.test_fraction) = fraction(*split.fraction);
    }
  }
  for (const language::Field& field : description.data->fields) {
    result.fields.push_back(field_spec(field));
    result.fields.back().augmented = is_augmented(description, field);
  }
  result.ranges = target_ranges(description);
  name_image_classes(result);
  return result;
}

std::vector<std::string> data_files(const runtime::DataSpec& data) {
  std::vector<std::string> result;
  const auto add = [&](const std::string& path) {
    if (std::find(result.begin(), result.end(), path) == result.end()) result.push_back(path);
  };
  for (const auto* source : {&data.train, &data.valid, &data.test}) {
    if (!*source) continue;
    const runtime::SourceKind& kind = (*source)->kind;
    if (const auto* idx = std::get_if<runtime::IdxSource>(&kind)) {
      for (const runtime::FieldFile& file : idx->files) add(file.path);
    } else if (const auto* npy = std::get_if<runtime::NpySource>(&kind)) {
      for (const runtime::FieldFile& file : npy->files) add(file.path);
    } else if (const auto* npz = std::get_if<runtime::NpzSource>(&kind)) {
      add(npz->path);
    } else if (const auto* csv = std::get_if<runtime::CsvSource>(&kind)) {
      add(csv->path);
    } else if (const auto* images = std::get_if<runtime::ImagesSource>(&kind)) {
      add(images->folder);
    }
  }
  return result;
}

}  // namespace nnc::workbench
