#include "tools/workbench/run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>

#include "compiler/assemble/forward.h"
#include "runtime/json_reader.h"
#include "runtime/run_folder.h"
#include "tools/workbench/error.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/version.h"

namespace nnc::workbench {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

const char* const manifest_name = "manifest.json";
// All that `train` writes into a run folder. The manifest is written first and removed last: it
// says whose files these are.
const char* const run_files[] = {"weights.safetensors", "checkpoint", "metrics.jsonl",
                                 "report.html",         "model.yaml", manifest_name};

const std::pair<abi::DType, const char*> dtype_names[] = {
    {abi::DType::f32, "f32"}, {abi::DType::f64, "f64"}, {abi::DType::i32, "i32"},
    {abi::DType::u8, "u8"},   {abi::DType::i64, "i64"},
};

std::string dtype_name(abi::DType dtype) {
  for (const auto& [value, name] : dtype_names) {
    if (value == dtype) return name;
  }
  return "f32";
}

abi::DType dtype_of(const runtime::JsonReader& json) {
  const std::string name = json.text();
  for (const auto& [value, known] : dtype_names) {
    if (name == known) return value;
  }
  json.refuse("unknown type", "f32, f64, i32, i64 or u8");
}

// Runs of versions that knew nothing of it were prepared in the program.
const std::pair<runtime::Prepared, const char*> prepared_names[] = {
    {runtime::Prepared::in_program, "in the program"},
    {runtime::Prepared::in_program_f64, "in the program, in f64"},
    {runtime::Prepared::while_loading, "while loading, in f64"},
};

runtime::Prepared prepared_of(const runtime::JsonReader& json) {
  const std::string name = json.text();
  for (const auto& [value, known] : prepared_names) {
    if (name == known) return value;
  }
  json.refuse("unknown word", prepared_names[0].second);
}

ordered_json to_json(const runtime::FieldInfo& field) {
  ordered_json json = {{"name", field.name},
                       {"type", dtype_name(field.dtype)},
                       {"shape", field.row_shape},
                       {"classes", field.classes},
                       {"words", field.vocabulary}};
  if (field.prepared == runtime::Prepared::in_program) return json;
  for (const auto& [value, name] : prepared_names)
    if (value == field.prepared) json["prepared"] = name;
  json["wide"] = field.wide;
  return json;
}

[[noreturn]] void cannot_make(const std::string& folder, const std::error_code& error) {
  throw WorkError(Fault::work,
                  fmt::format("{}: this folder cannot be made: {}", folder, error.message()));
}

}  // namespace

std::string make_next_run_folder(const std::string& model_name) {
  std::error_code error;
  fs::create_directories("runs", error);
  if (error) cannot_make("runs", error);
  for (int number = 1;; ++number) {
    const std::string folder = fmt::format("runs/{}-{:03}", model_name, number);
    if (fs::create_directory(folder, error)) return folder;
    if (error) cannot_make(folder, error);
  }
}

RunLock::RunLock(const std::string& folder)
    : descriptor_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0 || flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  close(descriptor_);
  throw WorkError(Fault::request, fmt::format("{} is being trained by another process", folder),
                  "wait for it, or stop it, or name another folder with -o");
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

namespace {

// What is at the place of a run.
struct Contents {
  bool something = false;  // more than what a killed process left
  bool is_run = false;
  bool only_a_model = true;
  bool only_our_manifest = true;
};

// Others have files of this name too; what nnc writes begins so.
bool is_our_manifest(const std::string& path) {
  std::ifstream file(path);
  std::string begin(64, '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin.starts_with("{\n  \"nnc\": ");
}

Contents contents_of(const std::string& folder) {
  Contents result;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (runtime::is_temporary_name(name)) continue;
    result.something = true;
    result.is_run |= name == manifest_name;
    result.only_a_model &= name == "model.yaml";
    result.only_our_manifest &= name == manifest_name && is_our_manifest(entry->path());
  }
  return result;
}

void remove_run_files(const std::string& folder) {
  std::error_code error;  // what cannot be removed cannot be written either: that says why
  for (const char* name : run_files) fs::remove_all(fs::path(folder) / name, error);
  remove_leftovers(folder);
}

}  // namespace

void check_replaceable(const std::string& folder, Replace replace, const std::string& model_path) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error)) {
    throw WorkError(Fault::request, fmt::format("{} is a file, not a folder", folder));
  }
  const Contents contents = contents_of(folder);
  // Nothing, or the first file alone of a training that was killed then.
  if (!contents.something || contents.only_our_manifest) return;
  if (replace == Replace::no) {
    throw WorkError(Fault::request, fmt::format("{} is already there", folder),
                    "--force replaces it, -o names another folder, "
                    "--resume continues an interrupted run");
  }
  // Earlier versions wrote model.yaml first, so that it may stand alone; or it is the user's own.
  const bool holds_the_model = fs::equivalent(model_path_in(folder), model_path, error);
  if (contents.is_run || (contents.only_a_model && !holds_the_model)) return;
  throw WorkError(Fault::request,
                  fmt::format("{} is not a run, so --force does not replace it", folder),
                  "-o names a folder that is empty or not there yet");
}

RunLock make_run_folder(const std::string& folder, Replace replace, const std::string& model_path) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) cannot_make(folder, error);
  RunLock lock(folder);
  check_replaceable(folder, replace, model_path);
  remove_run_files(folder);
  return lock;
}

void remove_leftovers(const std::string& folder) {
  std::vector<fs::path> leftovers;
  for (const std::string& place : {folder, folder + "/checkpoint"}) {
    std::error_code error;
    if (fs::is_symlink(place, error) && place != folder) continue;
    for (fs::directory_iterator entry(place, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename();
      if (runtime::is_temporary_name(name)) leftovers.push_back(entry->path());
    }
  }
  std::error_code error;
  for (const fs::path& path : leftovers) fs::remove(path, error);
}

void remove_run(const std::string& folder) {
  remove_run_files(folder);
  std::error_code not_empty;
  fs::remove(folder, not_empty);
}

void check_run_folder(const std::string& folder) {
  std::error_code error;
  if (fs::exists(fs::path(folder) / manifest_name, error)) {
    if (fs::exists(model_path_in(folder), error)) return;
    throw WorkError(
        Fault::work,
        fmt::format("{} has no model.yaml: its training was killed at its begin", folder),
        fmt::format("nnc train FILE -o {} begins it again", folder));
  }
  if (!fs::exists(folder, error)) {
    throw WorkError(Fault::request, fmt::format("there is no run {}", folder),
                    "`nnc train FILE` makes one");
  }
  if (!fs::is_directory(folder, error)) {
    throw WorkError(Fault::request, fmt::format("{} is not a run folder", folder),
                    fmt::format("train it first: nnc train {}", folder));
  }
  throw WorkError(Fault::request,
                  fmt::format("{} is not a run folder: it has no {}", folder, manifest_name));
}

void check_no_run(const std::string& path) {
  std::error_code error;
  if (!fs::exists(manifest_path_in(path), error)) return;
  const std::string model = fs::path(model_path_in(path)).lexically_normal();
  throw WorkError(Fault::request, fmt::format("{} is a run, not a model file", path),
                  fmt::format("its model file is {}", shell_word(model)));
}

runtime::Destination model_file_in(const std::string& folder) { return {folder, "model.yaml"}; }
std::string model_path_in(const std::string& folder) { return model_file_in(folder).path(); }
std::string manifest_path_in(const std::string& folder) { return folder + "/" + manifest_name; }

void write_manifest(const std::string& folder, const Manifest& manifest,
                    const ordered_json& facts) {
  ordered_json fields = ordered_json::array();
  for (const runtime::FieldInfo& field : manifest.fields) fields.push_back(to_json(field));
  ordered_json json = {{"nnc", version},
                       {"model", manifest.model_name},
                       {"model_path", manifest.model_path},
                       {"set", manifest.overrides}};
  if (!manifest.train_rows.empty()) json["train_rows"] = manifest.train_rows;
  json.update(facts);
  if (!manifest.weights_checksum.empty()) json["weights_checksum"] = manifest.weights_checksum;
  json["fields"] = fields;
  runtime::write_json({folder, manifest_name}, json);
}

namespace {

runtime::FieldInfo field_from(const runtime::JsonReader& json) {
  constexpr int64_t most_numbers = int64_t{1} << 40;  // in a row; as of any value of the model
  constexpr int64_t most_classes = std::numeric_limits<int32_t>::max();
  runtime::FieldInfo field;
  field.name = json.at("name").text();
  field.dtype = dtype_of(json.at("type"));
  int64_t room = most_numbers;
  for (const runtime::JsonReader& axis : json.at("shape").items()) {
    field.row_shape.push_back(axis.integer(1, room));
    room /= field.row_shape.back();
  }
  field.classes = json.at("classes").integer(0, most_classes);
  field.vocabulary = json.at("words").texts();
  if (json.has("prepared")) field.prepared = prepared_of(json.at("prepared"));
  if (json.has("wide")) field.wide = json.at("wide").boolean();
  const bool one_each =
      field.vocabulary.empty() || static_cast<int64_t>(field.vocabulary.size()) <= field.classes;
  if (!one_each) json.at("words").refuse("more words than classes");
  return field;
}

}  // namespace

Manifest read_manifest(const std::string& folder, ordered_json* facts) {
  check_run_folder(folder);
  const std::string path = manifest_path_in(folder);
  const ordered_json json = runtime::read_json(path);
  const runtime::JsonReader reader(json, path);
  Manifest result;
  result.model_name = reader.at("model").text();
  result.model_path = reader.at("model_path").text();
  result.overrides = reader.at("set").texts();
  if (reader.has("weights_checksum")) {
    result.weights_checksum = reader.at("weights_checksum").text();
  }
  for (const runtime::JsonReader& field : reader.at("fields").items()) {
    result.fields.push_back(field_from(field));
  }
  if (reader.has("train_rows")) result.train_rows = reader.at("train_rows").text();
  if (facts) {
    *facts = json;
    for (const char* key :
         {"nnc", "model", "model_path", "set", "weights_checksum", "fields", "train_rows"}) {
      facts->erase(key);
    }
  }
  return result;
}

void set_trained(runtime::DataSpec& data, const Manifest& manifest) {
  for (runtime::FieldSpec& spec : data.fields) {
    for (const runtime::FieldInfo& info : manifest.fields) {
      if (info.name != spec.name) continue;
      if (spec.category() != nullptr) spec.vocabulary = info.vocabulary;
      spec.prepared = info.prepared;
    }
  }
  for (auto* fraction : {&data.valid_fraction, &data.test_fraction})
    if (*fraction) (*fraction)->each_class_rounded = manifest.train_rows.empty();
}

std::vector<assemble::FieldInfo> for_compiler(const std::vector<runtime::FieldInfo>& fields) {
  std::vector<assemble::FieldInfo> result;
  for (const runtime::FieldInfo& field : fields) {
    result.push_back({.name = field.name,
                      .dtype = field.dtype,
                      .row_shape = field.row_shape,
                      .classes = field.classes,
                      .vocabulary = field.vocabulary,
                      .exact = field.prepared != runtime::Prepared::in_program,
                      .prepared = field.prepared == runtime::Prepared::while_loading,
                      .wide = field.wide});
  }
  return result;
}

ordered_json units_of(const std::vector<assemble::OutputInfo>& outputs) {
  ordered_json units = ordered_json::object();
  for (const assemble::OutputInfo& output : outputs)
    if (!output.units.empty()) units[output.name] = output.units;
  return units;
}

}  // namespace nnc::workbench
