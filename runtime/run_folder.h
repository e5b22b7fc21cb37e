// The text files of a run: metrics.jsonl, one line per epoch, and manifest.json.
#pragma once

#include <nlohmann/json.hpp>

#include "runtime/metrics.h"

namespace nnc::runtime {

// {"loss": …, "loss.TERM": …, "accuracy": …, "confusion": [[…]]}; NaN and infinity become null.
nlohmann::ordered_json to_json(const Metrics& metrics);

// {"epoch", "train": {…}, "valid": {…}, "seconds"}; `valid` is left out when there is none.
std::string metrics_line(int64_t epoch, const Metrics& train, const Metrics& valid, double seconds);

// Drops the lines after `epoch` (and a broken last line), for resuming. No file is fine.
void truncate_metrics(const std::string& path, int64_t epoch);

// Pretty printed, atomic.
void write_json(const std::string& path, const nlohmann::ordered_json& json);

// Reads a JSON file; throws DataError.
nlohmann::ordered_json read_json(const std::string& path);

// A 64-bit FNV-1a hash of a file's bytes as 16 hex digits, for manifests. Throws DataError.
std::string hash_file(const std::string& path);

}  // namespace nnc::runtime
