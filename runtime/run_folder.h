// The text files of a run: metrics.jsonl, one line per epoch, and manifest.json.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "runtime/atomic_file.h"
#include "runtime/metrics.h"

namespace nnc::runtime {

// {"loss": …, "loss.TERM": …, "accuracy": …, "confusion": [[…]]}; NaN and infinity become null.
nlohmann::ordered_json to_json(const Metrics& metrics);

// What is too long for a line of an epoch: {"f1.classes": […], "roc": […]}, each curve as
// {"threshold": […], "false_positive_rate": […], "true_positive_rate": […]}.
nlohmann::ordered_json details_json(const Metrics& metrics);

// {"epoch", "train": {…}, "valid": {…}, "seconds"}; `valid` is left out when there is none.
std::string metrics_line(int64_t epoch, const Metrics& train, const Metrics& valid, double seconds);

Destination metrics_file(const std::string& run_folder);
// How many epochs the file tells of: its lines of the epochs 1, 2 … up to `last`.
int64_t epochs_of_metrics(const std::string& run_folder, int64_t last);
// Leaves these lines only, for resuming. Makes the file if there is none.
void truncate_metrics(const std::string& run_folder, int64_t last);

// Pretty printed, atomic.
void write_json(const Destination& to, const nlohmann::ordered_json& json);

// Reads a JSON file; throws DataError.
nlohmann::ordered_json read_json(const std::string& path);

// A 64-bit FNV-1a hash as 16 hex digits, for manifests; of a file's bytes. Throws DataError.
std::string hash_text(std::string_view text);
std::string hash_file(const std::string& path);
// A hash of the names and bytes of all files below a folder, whatever order the disk has them in.
std::string hash_folder(const std::string& path);

}  // namespace nnc::runtime
