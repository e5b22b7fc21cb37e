#include "tools/nnc/predictions.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <filesystem>

#include "compiler/support/text.h"
#include "runtime/atomic_file.h"
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

std::string csv_text(const std::vector<NamedPrediction>& outputs, int64_t rows) {
  std::string text;
  for (const NamedPrediction& output : outputs) {
    for (const std::string& heading : headings(output)) {
      text += (text.empty() ? "" : ",") + csv_cell(heading);
    }
  }
  text += "\n";
  for (int64_t row = 0; row < rows; ++row) {
    bool first = true;
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

// A zip archive of stored (not compressed) members: what numpy.savez writes.
std::string npz_bytes(const std::vector<NamedPrediction>& outputs, int64_t rows) {
  std::string body;
  std::string directory;
  for (const NamedPrediction& output : outputs) {
    const std::string name = output.values->name + ".npy";
    const std::string data = npy_bytes(*output.values, rows);
    if (data.size() + body.size() > 0xfffffff0u) {
      throw CommandError(Exit::failed, "an npz file of more than 4 GB: write outputs as npy");
    }
    const uint32_t crc =
        static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
    std::string common;
    append_number(common, 20, 2);        // version needed
    append_number(common, 0, 4);         // flags, method: stored
    append_number(common, 0x210000, 4);  // time and date: 1980-01-01
    append_number(common, crc, 4);
    append_number(common, data.size(), 4);
    append_number(common, data.size(), 4);
    append_number(common, name.size(), 2);
    append_number(common, 0, 2);  // no extra field
    append_number(directory, 0x02014b50, 4);
    append_number(directory, 20, 2);
    directory += common;
    append_number(directory, 0, 2 + 2 + 2);  // comment, disk, internal attributes
    append_number(directory, 0, 4);
    append_number(directory, body.size(), 4);
    directory += name;
    append_number(body, 0x04034b50, 4);
    body += common + name + data;
  }
  std::string end;
  append_number(end, 0x06054b50, 4);
  append_number(end, 0, 4);
  append_number(end, outputs.size(), 2);
  append_number(end, outputs.size(), 2);
  append_number(end, directory.size(), 4);
  append_number(end, body.size(), 4);
  append_number(end, 0, 2);
  return body + directory + end;
}

}  // namespace

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
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, shape);
  // Magic, version, length and header together are a multiple of 64 bytes.
  header += std::string(63 - (10 + header.size()) % 64, ' ') + "\n";
  std::string result = "\x93NUMPY";
  append_number(result, 1, 2);
  append_number(result, header.size(), 2);
  result += header;
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

void write_predictions(const std::string& path, const std::vector<NamedPrediction>& outputs,
                       int64_t rows) {
  check_prediction_path(path, outputs.size());
  if (path == "-") {
    std::string text = csv_text(outputs, rows);
    // Class names come from the data. A program that reads them gets every byte.
    if (is_terminal(STDOUT_FILENO)) text = without_controls(text);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  const std::string kind = ending(path);
  if (kind == ".csv") {
    runtime::write_atomically(path, csv_text(outputs, rows));
  } else if (kind == ".npy") {
    runtime::write_atomically(path, npy_bytes(*outputs[0].values, rows));
  } else {
    runtime::write_atomically(path, npz_bytes(outputs, rows));
  }
}

}  // namespace nnc::tool
