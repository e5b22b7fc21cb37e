#include "tools/nnc/run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <filesystem>

#include "runtime/checkpoint.h"
#include "runtime/data/error.h"
#include "runtime/run_folder.h"
#include "tools/nnc/exit.h"
#include "tools/nnc/version.h"

namespace nnc::tool {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

const char* const manifest_name = "manifest.json";
// All that `train` writes into a run folder.
const char* const run_files[] = {"manifest.json",       "model.yaml",  "metrics.jsonl",
                                 "weights.safetensors", "report.html", "checkpoint"};

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

abi::DType dtype_of(const std::string& name, const std::string& file) {
  for (const auto& [value, known] : dtype_names) {
    if (name == known) return value;
  }
  throw runtime::DataError(file, "fields", "unknown type", "f32, f64, i32, i64 or u8", name);
}

ordered_json to_json(const runtime::FieldInfo& field) {
  return {{"name", field.name},
          {"type", dtype_name(field.dtype)},
          {"shape", field.row_shape},
          {"classes", field.classes},
          {"words", field.vocabulary}};
}

[[noreturn]] void cannot_make(const std::string& folder, const std::error_code& error) {
  throw CommandError(Exit::failed,
                     fmt::format("{}: this folder cannot be made: {}", folder, error.message()));
}

}  // namespace

std::string make_next_run_folder(const std::string& model_name) {
  std::error_code error;
  fs::create_directories("runs", error);
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
  throw CommandError(Exit::usage, fmt::format("{} is being trained by another process", folder),
                     "wait for it, or stop it, or name another folder with -o");
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

void refuse_existing_run(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error) || fs::is_empty(folder, error)) return;
  throw CommandError(Exit::usage, fmt::format("{} is already there", folder),
                     "--force replaces it, -o names another folder, "
                     "--resume continues an interrupted run");
}

RunLock make_run_folder(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error)) {
    throw CommandError(Exit::usage, fmt::format("{} is a file, not a folder", folder));
  }
  const bool is_run = fs::exists(fs::path(folder) / manifest_name, error);
  if (!is_run && fs::is_directory(folder, error) && !fs::is_empty(folder, error)) {
    throw CommandError(Exit::usage,
                       fmt::format("{} is not a run, so --force does not replace it", folder),
                       "-o names a folder that is empty or not there yet");
  }
  error.clear();
  fs::create_directories(folder, error);
  if (error) cannot_make(folder, error);
  RunLock lock(folder);
  for (const char* name : run_files) fs::remove_all(fs::path(folder) / name, error);
  return lock;
}

void check_run_folder(const std::string& folder) {
  std::error_code error;
  if (fs::exists(fs::path(folder) / manifest_name, error)) return;
  if (!fs::exists(folder, error)) {
    throw CommandError(Exit::usage, fmt::format("there is no run {}", folder),
                       "`nnc train FILE` makes one");
  }
  if (!fs::is_directory(folder, error)) {
    throw CommandError(Exit::usage, fmt::format("{} is not a run folder", folder),
                       fmt::format("train it first: nnc train {}", folder));
  }
  throw CommandError(Exit::usage,
                     fmt::format("{} is not a run folder: it has no {}", folder, manifest_name));
}

std::string model_path_in(const std::string& folder) { return folder + "/model.yaml"; }
std::string metrics_path_in(const std::string& folder) { return folder + "/metrics.jsonl"; }

void write_manifest(const std::string& folder, const Manifest& manifest,
                    const ordered_json& facts) {
  ordered_json fields = ordered_json::array();
  for (const runtime::FieldInfo& field : manifest.fields) fields.push_back(to_json(field));
  ordered_json json = {{"nnc", version},
                       {"model", manifest.model_name},
                       {"model_path", manifest.model_path},
                       {"set", manifest.overrides}};
  json.update(facts);
  json["fields"] = fields;
  runtime::write_json(folder + "/" + manifest_name, json);
}

Manifest read_manifest(const std::string& folder, ordered_json* facts) {
  check_run_folder(folder);
  const std::string path = folder + "/" + manifest_name;
  const ordered_json json = runtime::read_json(path);
  Manifest result;
  try {
    result.model_name = json.at("model");
    result.model_path = json.at("model_path");
    result.overrides = json.at("set").get<std::vector<std::string>>();
    for (const ordered_json& field : json.at("fields")) {
      runtime::FieldInfo info;
      info.name = field.at("name");
      info.dtype = dtype_of(field.at("type"), path);
      info.row_shape = field.at("shape").get<std::vector<int64_t>>();
      info.classes = field.at("classes");
      info.vocabulary = field.at("words").get<std::vector<std::string>>();
      result.fields.push_back(std::move(info));
    }
    if (facts) {
      *facts = json;
      for (const char* key : {"nnc", "model", "model_path", "set", "fields"}) facts->erase(key);
    }
  } catch (const nlohmann::json::exception& problem) {
    throw runtime::DataError(path, "", "not a manifest that nnc wrote", "", problem.what());
  }
  return result;
}

std::vector<spec::FieldInfo> for_compiler(const std::vector<runtime::FieldInfo>& fields) {
  std::vector<spec::FieldInfo> result;
  for (const runtime::FieldInfo& field : fields) {
    result.push_back({field.name, field.dtype, field.row_shape, field.classes, field.vocabulary});
  }
  return result;
}

}  // namespace nnc::tool
