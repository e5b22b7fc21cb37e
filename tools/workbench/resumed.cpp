#include "tools/workbench/resumed.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "compiler/language/parse.h"
#include "compiler/layers/catalogue.h"
#include "runtime/run_folder.h"
#include "tools/workbench/error.h"
#include "tools/workbench/reporter.h"
#include "tools/workbench/splits.h"

namespace nnc::workbench {

namespace fs = std::filesystem;

bool has_checkpoint(const std::string& folder, const Manifest& manifest,
                    const nlohmann::ordered_json& facts) {
  const std::string path = runtime::checkpoint_path(folder);
  if (fs::exists(path)) return true;
  // Earlier versions knew no checksum.
  const bool ended = !manifest.weights_checksum.empty() || facts.contains("train_seconds");
  if (ended && fs::exists(runtime::weights_path(folder))) {
    throw WorkError(Fault::work, fmt::format("{} is gone, so this run cannot go on", path),
                    "its weights can still be used; to train anew: nnc train FILE");
  }
  return false;
}

void check_same_data(const std::string& folder, const nlohmann::ordered_json& facts,
                     const nlohmann::ordered_json& hashes, const std::string& model_path) {
  const auto before = facts.find("data_hashes");
  if (before == facts.end()) return;
  for (const auto& [file, hash] : hashes.items()) {
    if (!before->contains(file) || (*before)[file].is_null() || (*before)[file] == hash) continue;
    throw WorkError(Fault::request,
                    fmt::format("{} has changed since {} was started, which cannot go on with it",
                                file, folder),
                    fmt::format("put the old file back; or train anew: nnc train {}", model_path));
  }
}

void check_same_draw(const std::string& folder, const Manifest& manifest,
                     const runtime::Split& train) {
  if (manifest.train_rows.empty() || manifest.train_rows == rows_hash(train)) return;
  throw WorkError(
      Fault::request,
      fmt::format("{} cannot go on: its rows to train on are drawn otherwise now", folder),
      fmt::format("put the old data back, or train anew: nnc train {}", manifest.model_path));
}

void warn_of_missing_metrics(const std::string& folder, const runtime::Resumable& found) {
  if (found.logged >= found.progress.epoch) return;
  reporter().warning(fmt::format("{} tells of {} of the {} epochs so far; the others stay missing",
                                 runtime::metrics_file(folder).path(), found.logged,
                                 found.progress.epoch));
}

runtime::TrainOptions options_of(const std::string& model_path) {
  Diagnostics ignored;
  const auto description = language::parse(model_path, {}, layers::catalogue(), ignored);
  if (!description || !description->train || ignored.has_errors()) return {};
  return train_options(*description);
}

std::string rate_note(const runtime::TrainOptions& before, const runtime::TrainOptions& now,
                      const runtime::Progress& progress, int64_t steps_per_epoch) {
  if (progress.step == 0) return "";
  const auto rate_at = [&](const runtime::TrainOptions& options, int64_t step) {
    runtime::Clock clock;
    clock.step = step;
    clock.steps_per_epoch = steps_per_epoch;
    clock.total_steps = options.steps >= 0 ? options.steps : options.epochs * steps_per_epoch;
    return options.scalars.rate * runtime::factor_at(options.scalars.schedule, clock);
  };
  // Both at the step that would be next: an unchanged schedule gives the same.
  const double planned = rate_at(before, progress.step), next = rate_at(now, progress.step);
  if (std::fabs(planned - next) <= 1e-9 * std::max(std::fabs(planned), std::fabs(next))) return "";
  return fmt::format("had come to {:.3g}; by the new length of its schedule it goes on at {:.3g}",
                     rate_at(before, progress.step - 1), next);
}

}  // namespace nnc::workbench
