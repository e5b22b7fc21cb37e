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

// What stands beside the outputs: an id of each row, the class that is predicted.
struct TextColumn {
  std::string name;
  std::vector<std::string> cells;
};

// For each row the class with the largest score: its word, or its number where there are no words.
// No class where a score is no number.
std::vector<std::string> largest_classes(const NamedPrediction& scores, int64_t rows);

// Writes by the ending of `path`: .npz every output by name, .npy the only output (CommandError if
// there are several), .csv all outputs side by side with a header; "-": csv on standard output.
// `beside` comes before them in csv, and as arrays of text in npz. Throws DataError if it cannot be
// written; the file is replaced as a whole or not at all.
void write_predictions(const std::string& path, const std::vector<TextColumn>& beside,
                       const std::vector<NamedPrediction>& outputs, int64_t rows);

// CommandError unless write_predictions knows what to do with this path; said before any work.
void check_prediction_path(const std::string& path, size_t outputs);

// The bytes of a .npy file (format version 1.0).
std::string npy_bytes(const runtime::Prediction& values, int64_t rows);

}  // namespace nnc::tool
