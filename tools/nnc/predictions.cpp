#include "tools/nnc/predictions.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "compiler/support/text.h"
#include "runtime/atomic_file.h"
#include "runtime/data/zip.h"
#include "runtime/utf8.h"
#include "tools/nnc/exit.h"
#include "tools/nnc/terminal.h"

namespace nnc::tool {

namespace {

using runtime::Prediction;

std::string ending(const std::string& path) { return std::filesystem::path(path).extension(); }

int64_t elements_of(const Prediction& values) { return nnc::elements_of(values.shape); }

std::string number_at(const Prediction& values, int64_t i) {
  const auto at = static_cast<size_t>(i);
  switch (values.dtype) {
    case abi::DType::f64: return number_text(values.values.as<double>()[at]);
    case abi::DType::i32: return std::to_string(values.values.as<int32_t>()[at]);
    case abi::DType::i64: return std::to_string(values.values.as<int64_t>()[at]);
    case abi::DType::u8:
    case abi::DType::boolean: return std::to_string(values.values.as<uint8_t>()[at]);
    // The shortest text that reads back as the same float.
    default: return fmt::format("{}", values.values.as<float>()[at]);
  }
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (char c : text) {
    result += c;
    if (c == '"') result += '"';
  }
  return result + "\"";
}

// "price", "probability.T-shirt", "mask.3": one heading for each element of an output's row.
std::vector<std::string> headings(const NamedPrediction& output) {
  const int64_t n = elements_of(*output.values);
  if (output.values->shape.empty()) return {output.values->name};
  std::vector<std::string> result;
  for (int64_t i = 0; i < n; ++i) {
    const bool word = static_cast<int64_t>(output.words.size()) == n;
    result.push_back(output.values->name + "." +
                     (word ? output.words[static_cast<size_t>(i)] : std::to_string(i)));
  }
  return result;
}

// Bytes that are not UTF-8 (of file names) would keep readers from the whole table.
std::string csv_word(const std::string& text) { return csv_cell(runtime::with_escapes(text)); }

std::string csv_text(const std::vector<TextColumn>& beside,
                     const std::vector<NamedPrediction>& outputs, int64_t rows) {
  std::string text;
  for (const TextColumn& column : beside) text += (text.empty() ? "" : ",") + csv_word(column.name);
  for (const NamedPrediction& output : outputs) {
    for (const std::string& heading : headings(output)) {
      text += (text.empty() ? "" : ",") + csv_cell(heading);
    }
  }
  text += "\n";
  for (int64_t row = 0; row < rows; ++row) {
    bool first = true;
    for (const TextColumn& column : beside) {
      if (!first) text += ',';
      first = false;
      text += csv_word(column.cells[static_cast<size_t>(row)]);
    }
    for (const NamedPrediction& output : outputs) {
      const int64_t n = elements_of(*output.values);
      for (int64_t i = 0; i < n; ++i) {
        if (!first) text += ',';
        first = false;
        text += number_at(*output.values, row * n + i);
      }
    }
    text += '\n';
  }
  return text;
}

void append_number(std::string& to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i) & 0xff);
}

// A .npy file (format version 1.0) of this type and shape.
std::string with_npy_header(const std::string& type, const std::string& shape) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, shape);
  // Magic, version, length and header together are a multiple of 64 bytes.
  header += std::string(63 - (10 + header.size()) % 64, ' ') + "\n";
  std::string result = "\x93NUMPY";
  append_number(result, 1, 2);
  append_number(result, header.size(), 2);
  return result + header;
}

// The code points of a UTF-8 text.
std::vector<uint32_t> code_points(const std::string& text) {
  std::vector<uint32_t> result;
  for (const char c : runtime::with_escapes(text)) {
    const auto byte = static_cast<uint8_t>(c);
    if ((byte & 0xC0) != 0x80) {
      result.push_back(byte < 0x80 ? byte : byte & (byte >= 0xF0 ? 7 : byte >= 0xE0 ? 15 : 31));
    } else {
      result.back() = result.back() << 6 | (byte & 0x3F);
    }
  }
  return result;
}

// Texts as numpy keeps them: four bytes a character, all of the same length.
std::string npy_bytes(const TextColumn& column) {
  std::vector<std::vector<uint32_t>> texts;
  size_t longest = 1;
  for (const std::string& cell : column.cells) {
    texts.push_back(code_points(cell));
    longest = std::max(longest, texts.back().size());
  }
  std::string result =
      with_npy_header(fmt::format("<U{}", longest), fmt::format("{},", texts.size()));
  for (std::vector<uint32_t>& text : texts) {
    text.resize(longest);
    for (const uint32_t point : text) append_number(result, point, 4);
  }
  return result;
}

std::string npz_bytes(const std::vector<TextColumn>& beside,
                      const std::vector<NamedPrediction>& outputs, int64_t rows) {
  std::vector<runtime::ZipContent> contents;
  size_t bytes = 0;
  for (const TextColumn& column : beside)
    contents.push_back({column.name + ".npy", npy_bytes(column)});
  for (const NamedPrediction& output : outputs)
    contents.push_back({output.values->name + ".npy", tool::npy_bytes(*output.values, rows)});
  for (const runtime::ZipContent& content : contents) bytes += content.bytes.size();
  if (bytes > 0xfffffff0u - 0x10000u)
    throw CommandError(Exit::failed, "an npz file of more than 4 GB: write outputs as npy");
  return runtime::zip_text(contents);
}

template <class T>
std::vector<std::string> largest_classes(const T* scores, int64_t classes,
                                         const std::vector<std::string>& words, int64_t rows) {
  std::vector<std::string> result;
  for (int64_t row = 0; row < rows; ++row, scores += classes) {
    const int64_t best = std::max_element(scores, scores + classes) - scores;
    const bool numbers = std::none_of(
        scores, scores + classes, [](T score) { return std::isnan(static_cast<double>(score)); });
    const bool named = words.size() == static_cast<size_t>(classes);
    result.push_back(!numbers ? ""
                     : named  ? words[static_cast<size_t>(best)]
                              : std::to_string(best));
  }
  return result;
}

}  // namespace

std::vector<std::string> largest_classes(const NamedPrediction& scores, int64_t rows) {
  const Prediction& values = *scores.values;
  const int64_t classes = elements_of(values);
  switch (values.dtype) {
    case abi::DType::f64:
      return largest_classes(values.values.as<double>(), classes, scores.words, rows);
    case abi::DType::f32:
      return largest_classes(values.values.as<float>(), classes, scores.words, rows);
    default: return std::vector<std::string>(static_cast<size_t>(rows));
  }
}

std::string npy_bytes(const Prediction& values, int64_t rows) {
  const char* type = "<f4";
  switch (values.dtype) {
    case abi::DType::f64: type = "<f8"; break;
    case abi::DType::i32: type = "<i4"; break;
    case abi::DType::i64: type = "<i8"; break;
    case abi::DType::u8: type = "|u1"; break;
    case abi::DType::boolean: type = "|b1"; break;
    default: break;
  }
  std::string shape = fmt::format("{},", rows);
  for (int64_t d : values.shape) shape += fmt::format(" {},", d);
  if (!values.shape.empty()) shape.pop_back();
  std::string result = with_npy_header(type, shape);
  const size_t bytes = static_cast<size_t>(rows * elements_of(values)) * abi::size_of(values.dtype);
  result.append(values.values.as<char>(), bytes);
  return result;
}

void check_prediction_path(const std::string& path, size_t outputs) {
  if (path == "-") return;
  const std::string kind = ending(path);
  if (kind == ".csv" || kind == ".npz") return;
  if (kind == ".npy" && outputs == 1) return;
  if (kind == ".npy") {
    throw CommandError(
        Exit::usage,
        fmt::format("{}: an npy file holds one output, the model has {}", path, outputs),
        "write an .npz file: it holds every output by name");
  }
  throw CommandError(Exit::usage,
                     fmt::format("{}: outputs are written as .csv, .npy or .npz", path),
                     "or `-` for csv on standard output");
}

void write_predictions(const std::string& path, const std::vector<TextColumn>& beside,
                       const std::vector<NamedPrediction>& outputs, int64_t rows) {
  check_prediction_path(path, outputs.size());
  if (path == "-") {
    std::string text = csv_text(beside, outputs, rows);
    // Class names come from the data. A program that reads them gets every byte.
    if (is_terminal(STDOUT_FILENO)) text = without_controls(text);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  const std::string kind = ending(path);
  if (kind == ".csv") {
    runtime::write_atomically(path, csv_text(beside, outputs, rows));
  } else if (kind == ".npy") {
    runtime::write_atomically(path, npy_bytes(*outputs[0].values, rows));
  } else {
    runtime::write_atomically(path, npz_bytes(beside, outputs, rows));
  }
}

}  // namespace nnc::tool
