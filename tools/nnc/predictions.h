// Predictions as files: csv, npy, npz.
#pragma once

#include <string>
#include <vector>

#include "runtime/inference.h"

namespace nnc::tool {

// An output with the words for its last axis, if they are known (class names).
struct NamedPrediction {
  const runtime::Prediction* values = nullptr;
  std::vector<std::string> words;
};

// Writes by the ending of `path`: .npz every output by name, .npy the only output (CommandError if
// there are several), .csv all outputs side by side with a header; "-": csv on standard output.
// Throws DataError if it cannot be written; the file is replaced as a whole or not at all.
void write_predictions(const std::string& path, const std::vector<NamedPrediction>& outputs,
                       int64_t rows);

// CommandError unless write_predictions knows what to do with this path; said before any work.
void check_prediction_path(const std::string& path, size_t outputs);

// The bytes of a .npy file (format version 1.0).
std::string npy_bytes(const runtime::Prediction& values, int64_t rows);

}  // namespace nnc::tool
