#include "compiler/language/parse.h"

#include <filesystem>

#include "compiler/language/decode.h"
#include "compiler/language/describe.h"
#include "compiler/language/file_schema.h"
#include "compiler/language/flow_slips.h"
#include "compiler/language/overrides.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

bool is_model_name(const std::string& name) {
  const auto good = [](char c) { return c == '-' || is_identifier(std::string("_") + c); };
  return !name.empty() && name[0] != '-' && std::all_of(name.begin(), name.end(), good);
}

// The file's stem, with what cannot stand in a name replaced.
std::string default_name(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  for (char& c : name) {
    if (!is_model_name(std::string("a") + c)) c = '_';
  }
  return is_model_name(name) ? name : "model";
}

void describe_head(const MapValue& file, const std::string& path, Description& description,
                   Diagnostics& diagnostics) {
  const Value* version = get(file, "nnc");
  if (version != nullptr && version->integer() != language_version) {
    diagnostics.error(
        version->span, "this version of nnc does not read this version of the language",
        "nnc: " + std::to_string(language_version), "nnc: " + std::to_string(version->integer()));
  }
  description.name = default_name(path);
  if (const Value* name = get(file, "name")) {
    description.name = name->text();
    description.name_span = name->span;
    if (!is_model_name(description.name)) {
      diagnostics.error(name->span, in_quotes(description.name) + " cannot be the name of a model",
                        "letters, digits, - and _, as in a file's name");
    }
  }
  if (const Value* precision = get(file, "precision")) {
    description.precision = precision->text() == "f64" ? Precision::f64 : Precision::f32;
  }
}

SourceSpan key_span(const YamlNode& root, const std::string& key) {
  for (const YamlEntry& entry : root.entries) {
    if (entry.key.text == key) return entry.key.span;
  }
  return root.span;
}

void describe_sections(const MapValue& file, const YamlNode& root,
                       const schema::Catalogue& catalogue, const Blocks& blocks, Draft& draft,
                       Diagnostics& diagnostics) {
  if (const Value* data = get(file, "data")) {
    describe_data(data->map(), draft, diagnostics);
    draft.description.data->span = key_span(root, "data");
  } else {
    draft.fields_complete = !stands(file, "data");
  }
  draft.description.model.span = key_span(root, "model");
  const Value* model = get(file, "model");
  if (model != nullptr) describe_model(model->map(), catalogue, blocks, draft, diagnostics);
  if (const Value* functions = get(file, "functions"))
    describe_functions(functions->map(), draft, diagnostics);
  if (const Value* loss = get(file, "loss")) describe_loss(*loss, draft, diagnostics);
  if (const Value* metrics = get(file, "metrics"))
    describe_metrics(metrics->list(), draft, diagnostics);
  if (const Value* train = get(file, "train")) {
    draft.description.train.emplace();
    draft.description.train->span = key_span(root, "train");
    // A loss that could not be read is there all the same.
    const bool loss_failed = stands(file, "loss") && !draft.description.loss;
    if (loss_failed) {
      draft.terms_complete = false;
      draft.description.loss.emplace();
    }
    describe_train(train->map(), draft, diagnostics);
    describe_phases(draft, diagnostics);
  }
  if (model != nullptr) check_references(draft, diagnostics);
  warn_of_losses(draft, diagnostics);
}

// The rest of the file without `settings` and `blocks`, which are read on their own.
YamlNode without_settings(const YamlNode& root) {
  YamlNode result = root;
  std::erase_if(result.entries, [](const YamlEntry& e) {
    return e.key.text == "settings" || e.key.text == "blocks";
  });
  return result;
}

std::optional<Description> parse_source(const std::shared_ptr<const SourceFile>& file,
                                        const Options& options, const schema::Catalogue& catalogue,
                                        Diagnostics& diagnostics) {
  const int errors_before = diagnostics.errors();
  std::optional<YamlNode> root = parse_yaml(file, diagnostics);
  if (!root) return std::nullopt;
  if (!root->is_map()) {
    diagnostics.error(root->span, "a model file is a map of sections",
                      "nnc: 1, and then model:", describe(*root));
    return std::nullopt;
  }
  repair_flow_slips(*root, diagnostics);
  apply_overrides(options.overrides, *root, diagnostics);
  const Settings settings(root->find("settings"), diagnostics);
  const std::string folder =
      std::filesystem::absolute(std::filesystem::path(file->path)).parent_path().string();
  Decoder decoder(catalogue, settings, folder, diagnostics);
  const Value value = decoder.decode(without_settings(*root), file_type(), whole_file);
  const Blocks blocks(root->find("blocks"), settings, catalogue, folder, diagnostics);
  Draft draft;
  draft.description.file = file;
  draft.description.settings = settings.all();
  draft.has_errors = diagnostics.errors() > errors_before;
  if (value.is_map()) {
    describe_head(value.map(), file->path, draft.description, diagnostics);
    describe_sections(value.map(), *root, catalogue, blocks, draft, diagnostics);
  }
  if (diagnostics.errors() > errors_before) return std::nullopt;
  return std::move(draft.description);
}

}  // namespace

std::optional<Description> parse(const std::string& path, const Options& options,
                                 const schema::Catalogue& catalogue, Diagnostics& diagnostics) {
  const auto file = read_source(path, diagnostics);
  return file ? parse_source(file, options, catalogue, diagnostics) : std::nullopt;
}

std::optional<Description> parse_text(std::string text, const std::string& path,
                                      const Options& options, const schema::Catalogue& catalogue,
                                      Diagnostics& diagnostics) {
  const auto file = source_from_text(std::move(text), path, diagnostics);
  return file ? parse_source(file, options, catalogue, diagnostics) : std::nullopt;
}

}  // namespace nnc::language
