#include "tools/workbench/splits.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

#include "runtime/data/error.h"
#include "runtime/run_folder.h"
#include "tools/workbench/data_spec.h"
#include "tools/workbench/error.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/reporter.h"

namespace nnc::workbench {

using nlohmann::ordered_json;

namespace {

// The files of one split's source alone.
std::vector<std::string> files_of(const std::optional<runtime::Source>& source) {
  runtime::DataSpec alone;
  alone.train = source;
  return data_files(alone);
}

// The first file that is not what it was; empty: none. Files that have moved are known by their
// content; with `new_ones`, those of other content are not wrong.
std::string changed_file(const std::vector<std::string>& files, const ordered_json& before,
                         bool new_ones) {
  for (const std::string& file : files) {
    const auto known = before.find(file);
    if (known != before.end() && !known->is_string()) continue;  // gone when the training ended
    if (known == before.end() && new_ones) continue;
    std::string now;
    try {
      now = std::filesystem::is_directory(file) ? runtime::hash_folder(file)
                                                : runtime::hash_file(file);
    } catch (const runtime::DataError&) {
      continue;  // reading it says what is wrong
    }
    const bool same = known != before.end()
                          ? *known == now
                          : std::any_of(before.begin(), before.end(),
                                        [&](const ordered_json& hash) { return hash == now; });
    if (!same) return file;
  }
  return "";
}

WorkError other_rows(const Trained& trained, const std::string& split, const std::string& why,
                     const std::string& remedy) {
  return WorkError(
      Fault::request,
      fmt::format("{}: its {} rows would be drawn anew, with rows among them that {}", why, split,
                  split == "train" ? "it was not trained on" : "it was trained on"),
      fmt::format("{}; or name other rows: nnc eval {} --data '{}={{csv: {{...}}}}'", remedy,
                  shell_word(trained.folder), split));
}

}  // namespace

ordered_json hash_data(const runtime::DataSpec& data) {
  ordered_json hashes = ordered_json::object();
  for (const std::string& file : data_files(data)) {
    try {
      hashes[file] = std::filesystem::is_directory(file) ? runtime::hash_folder(file)
                                                         : runtime::hash_file(file);
    } catch (const runtime::DataError&) {
      hashes[file] = nullptr;  // gone since it was read: no reason to fail now
    }
  }
  return hashes;
}

std::string rows_hash(const runtime::Split& split) {
  uint64_t hash = 0xCBF29CE484222325ull;  // FNV-1a, a number at a time
  for (const int32_t row : split.rows)
    hash = (hash ^ static_cast<uint32_t>(row)) * 0x100000001B3ull;
  return fmt::format("{:016x}", hash);
}

bool is_drawn(const runtime::DataSpec& data, const std::string& split) {
  if (split == "valid") return data.valid_fraction.has_value();
  if (split == "test") return data.test_fraction.has_value();
  return data.valid_fraction || data.test_fraction;
}

bool drawn_anew(const runtime::DataSpec& data, const runtime::Split& trained,
                const runtime::Split& now, const ordered_json& hashes) {
  return rows_hash(trained) != rows_hash(now) || hash_data(data) != hashes;
}

void check_same_rows(const Trained& trained, const runtime::Dataset& data,
                     const std::string& split) {
  if (trained.folder.empty()) return;
  const runtime::DataSpec& spec = trained.model.data;
  const bool drawn = is_drawn(spec, split);
  const auto& source = drawn || split == "train" ? spec.train
                       : split == "valid"        ? spec.valid
                                                 : spec.test;
  ordered_json facts;
  const Manifest manifest = read_manifest(trained.folder, &facts);
  const auto hashes = facts.find("data_hashes");
  const std::string changed =
      hashes == facts.end() ? "" : changed_file(files_of(source), *hashes, !drawn);
  if (!drawn) {
    if (!changed.empty())
      reporter().warning(
          fmt::format("{} has changed since {} was trained", changed, trained.folder));
    return;
  }
  if (!changed.empty()) {
    throw other_rows(trained, split,
                     fmt::format("{} has changed since {} was trained", changed, trained.folder),
                     "put the old file back");
  }
  if (!manifest.train_rows.empty() && manifest.train_rows != rows_hash(data.train)) {
    throw other_rows(trained, split,
                     fmt::format("{} was trained on other rows than are drawn now", trained.folder),
                     "take back what --set changes of the data");
  }
}

}  // namespace nnc::workbench
