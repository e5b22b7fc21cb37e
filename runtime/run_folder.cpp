#include "runtime/run_folder.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "runtime/atomic_file.h"
#include "runtime/data/error.h"
#include "runtime/data/stream.h"

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

void truncate_metrics(const std::string& path, int64_t epoch) {
  if (!std::filesystem::exists(path)) return;
  const std::string text = read_text(path);
  std::string kept;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) break;  // a line that was cut off
    const Json line = Json::parse(text.substr(at, end - at), nullptr, false);
    if (line.is_discarded() || !line.contains("epoch") || line["epoch"].get<int64_t>() > epoch) {
      break;
    }
    kept += text.substr(at, end + 1 - at);
    at = end + 1;
  }
  if (kept != text) write_atomically(path, kept);
}

void write_json(const std::string& path, const Json& json) {
  write_atomically(path, json.dump(2) + "\n");
}

Json read_json(const std::string& path) {
  try {
    return Json::parse(read_text(path));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(path, "", "this is not JSON", "", error.what());
  }
}

namespace {

constexpr uint64_t empty_hash = 0xCBF29CE484222325ull;

uint64_t hashed(uint64_t hash, std::string_view bytes) {
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  return hash;
}

}  // namespace

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
