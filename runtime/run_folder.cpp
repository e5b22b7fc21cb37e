#include "runtime/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "runtime/atomic_file.h"
#include "runtime/data/error.h"
#include "runtime/data/stream.h"
#include "runtime/json_reader.h"

namespace nnc::runtime {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json numbers(const std::vector<double>& values) {
  Json json = Json::array();
  for (double value : values) json.push_back(number(value));
  return json;
}

}  // namespace

Json to_json(const Metrics& metrics) {
  Json json = Json::object();
  json["loss"] = number(metrics.loss);
  for (const auto& [name, value] : metrics.terms) json["loss." + name] = number(value);
  for (const auto& [name, value] : metrics.metrics) json[name] = number(value);
  for (const auto& [name, table] : metrics.tables) json[name] = table;
  return json;
}

Json details_json(const Metrics& metrics) {
  Json json = Json::object();
  for (const auto& [name, values] : metrics.per_class) json[name + ".classes"] = numbers(values);
  for (const auto& [name, curves] : metrics.curves) {
    json[name] = Json::array();
    for (const RocCurve& curve : curves) {
      json[name].push_back({{"threshold", numbers(curve.threshold)},
                            {"false_positive_rate", numbers(curve.false_positive_rate)},
                            {"true_positive_rate", numbers(curve.true_positive_rate)}});
    }
  }
  return json;
}

std::string metrics_line(int64_t epoch, const Metrics& train, const Metrics& valid,
                         double seconds) {
  Json json;
  json["epoch"] = epoch;
  json["train"] = to_json(train);
  if (!valid.empty()) json["valid"] = to_json(valid);
  json["seconds"] = seconds;
  return json.dump();
}

Destination metrics_file(const std::string& run_folder) { return {run_folder, "metrics.jsonl"}; }

namespace {

// The lines of the epochs 1, 2 … `last` at the begin of the text. What follows is from epochs that
// are trained again, or was cut off.
struct EpochLines {
  std::string_view text;
  int64_t epochs = 0;
};

EpochLines epoch_lines(std::string_view text, int64_t last) {
  EpochLines lines;
  size_t at = 0;
  while (lines.epochs < last) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    const Json line = Json::parse(text.substr(at, end - at), nullptr, false);
    if (!line.is_object() || !line.contains("epoch") || line["epoch"] != lines.epochs + 1) break;
    at = end + 1;
    ++lines.epochs;
  }
  lines.text = text.substr(0, at);
  return lines;
}

}  // namespace

int64_t epochs_of_metrics(const std::string& run_folder, int64_t last) {
  const std::string path = metrics_file(run_folder).path();
  if (!std::filesystem::exists(path)) return 0;
  return epoch_lines(read_text(path), last).epochs;
}

void truncate_metrics(const std::string& run_folder, int64_t last) {
  const Destination file = metrics_file(run_folder);
  std::string text;
  const bool exists = std::filesystem::exists(file.path());
  if (exists) text = read_text(file.path());
  const std::string_view kept = epoch_lines(text, last).text;
  if (!exists || kept.size() < text.size()) write_atomically(file, kept);
}

void write_json(const Destination& to, const Json& json) {
  // A word that is no UTF-8 can't be written as it is, and nothing else may take its place.
  try {
    write_atomically(to, json.dump(2) + "\n");
  } catch (const Json::exception&) {
    throw DataError(to.path(), "", "cannot be written: a name in it is not UTF-8");
  }
}

Json read_json(const std::string& path) { return parse_json(read_text(path), path); }

namespace {

constexpr uint64_t empty_hash = 0xCBF29CE484222325ull;

uint64_t hashed(uint64_t hash, std::string_view bytes) {
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  return hash;
}

}  // namespace

std::string hash_text(std::string_view text) {
  return fmt::format("{:016x}", hashed(empty_hash, text));
}

std::string hash_file(const std::string& path) {
  const FileHandle file(path);
  std::string piece(size_t{1} << 20, '\0');
  uint64_t hash = empty_hash;
  for (uint64_t offset = 0;;) {
    const size_t got = file.read_at(offset, piece.data(), piece.size());
    hash = hashed(hash, std::string_view(piece).substr(0, got));
    offset += got;
    if (got < piece.size()) return fmt::format("{:016x}", hash);
  }
}

std::string hash_folder(const std::string& path) {
  namespace fs = std::filesystem;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    names.push_back(entry->path().lexically_relative(path).generic_string());
  }
  if (error) throw DataError(path, "", "the folder cannot be read", "", error.message());
  std::sort(names.begin(), names.end());
  uint64_t hash = empty_hash;
  for (const std::string& name : names) {
    hash = hashed(hash, name + "\n" + hash_file(path + "/" + name) + "\n");
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace nnc::runtime
