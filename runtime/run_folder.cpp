#include "runtime/run_folder.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "runtime/atomic_file.h"
#include "runtime/data/error.h"
#include "runtime/data/stream.h"

namespace nnc::runtime {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace

Json to_json(const Metrics& metrics) {
  Json json = Json::object();
  json["loss"] = number(metrics.loss);
  for (const auto& [name, value] : metrics.terms) json["loss." + name] = number(value);
  for (const auto& [name, value] : metrics.metrics) json[name] = number(value);
  for (const auto& [name, table] : metrics.tables) json[name] = table;
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

std::string hash_file(const std::string& path) {
  const FileHandle file(path);
  std::string piece(size_t{1} << 20, '\0');
  uint64_t hash = 0xCBF29CE484222325ull;
  for (uint64_t offset = 0;;) {
    const size_t got = file.read_at(offset, piece.data(), piece.size());
    for (size_t i = 0; i < got; ++i) {
      hash = (hash ^ static_cast<unsigned char>(piece[i])) * 0x100000001B3ull;
    }
    offset += got;
    if (got < piece.size()) return fmt::format("{:016x}", hash);
  }
}

}  // namespace nnc::runtime
