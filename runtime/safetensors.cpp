#include "runtime/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "runtime/atomic_file.h"
#include "runtime/data/error.h"
#include "runtime/data/stream.h"
#include "runtime/json_reader.h"
#include "runtime/shape.h"

namespace nnc::runtime {
namespace {

using abi::DType;
using Json = nlohmann::ordered_json;

constexpr std::pair<DType, const char*> type_names[] = {
    {DType::f32, "F32"}, {DType::f64, "F64"}, {DType::bf16, "BF16"},   {DType::i32, "I32"},
    {DType::i64, "I64"}, {DType::u8, "U8"},   {DType::boolean, "BOOL"}};

const char* name_of(DType dtype) {
  for (const auto& [type, name] : type_names) {
    if (type == dtype) return name;
  }
  return "";
}

std::optional<DType> type_of(const std::string& name) {
  for (const auto& [type, type_name] : type_names) {
    if (name == type_name) return type;
  }
  return std::nullopt;
}

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  throw DataError(path, "", "this is not a whole safetensors file", "", what);
}

Tensor parse_tensor(const std::string& path, const std::string& name, const JsonReader& entry,
                    const char* data, size_t data_bytes) {
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  const std::string type = entry.at("dtype").text();
  const std::optional<DType> dtype = type_of(type);
  if (!dtype) entry.at("dtype").refuse("nnc does not know this type");
  Tensor tensor{name, *dtype, {}, nullptr};
  uint64_t bytes = abi::size_of(*dtype);
  for (const JsonReader& axis : entry.at("shape").items()) {
    const int64_t extent = axis.integer(0, most);
    if (extent > 0 && bytes > data_bytes / static_cast<uint64_t>(extent)) {
      damaged(path, fmt::format("tensor '{}' is larger than the file", name));
    }
    bytes *= static_cast<uint64_t>(extent);
    tensor.shape.push_back(extent);
  }
  const std::vector<JsonReader> offsets = entry.at("data_offsets").items();
  if (offsets.size() != 2) entry.at("data_offsets").refuse("not a begin and an end");
  const auto first = static_cast<uint64_t>(offsets[0].integer(0, most));
  const auto last = static_cast<uint64_t>(offsets[1].integer(0, most));
  if (first > last || last > data_bytes || last - first != bytes) {
    damaged(path, fmt::format("tensor '{}' has {} bytes at {} … {} of {}", name, bytes, first, last,
                              data_bytes));
  }
  tensor.data = data + first;
  return tensor;
}

const char* const checksum_key = "checksum";

// What makes two files the same to whoever reads them, however their headers are written.
std::string checksum_of(const std::vector<Tensor>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  uLong sum = crc32_z(0, nullptr, 0);
  const auto add = [&](std::string_view bytes) {
    sum = crc32_z(sum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  };
  for (const auto& [key, value] : metadata) {
    if (key != checksum_key) add(fmt::format("{}:{}:{}{}", key.size(), value.size(), key, value));
  }
  for (const Tensor& tensor : tensors) {
    add(fmt::format("{}:{}{} [{}]", tensor.name.size(), tensor.name, name_of(tensor.dtype),
                    fmt::join(tensor.shape, ",")));
    if (tensor.bytes() > 0) add({static_cast<const char*>(tensor.data), tensor.bytes()});
  }
  return fmt::format("crc32:{:08x}", sum);
}

}  // namespace

size_t Tensor::bytes() const {
  const auto size = static_cast<int64_t>(abi::size_of(dtype));
  return static_cast<size_t>(checked_product(elements_of(shape), size));
}

const Tensor* TensorFile::find(const std::string& name) const {
  for (const Tensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

std::string TensorFile::checksum() const { return checksum_of(tensors, metadata); }

std::string write_safetensors(const Destination& to, const std::vector<Tensor>& tensors,
                              std::map<std::string, std::string> metadata) {
  const std::string checksum = checksum_of(tensors, metadata);
  metadata[checksum_key] = checksum;
  Json json = Json::object();
  json["__metadata__"] = metadata;
  size_t offset = 0;
  for (const Tensor& tensor : tensors) {
    json[tensor.name] = {{"dtype", name_of(tensor.dtype)},
                         {"shape", tensor.shape},
                         {"data_offsets", {offset, offset + tensor.bytes()}}};
    offset += tensor.bytes();
  }
  std::string header = json.dump();
  header.append((8 - header.size() % 8) % 8, ' ');
  std::string length(8, '\0');
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i) & 0xFF);
  std::vector<std::string_view> parts{length, header};
  for (const Tensor& tensor : tensors) {
    parts.emplace_back(static_cast<const char*>(tensor.data), tensor.bytes());
  }
  write_atomically(to, parts);
  return checksum;
}

TensorFile read_safetensors(const std::string& path) {
  const FileHandle handle(path);
  unsigned char length_bytes[8] = {};
  if (handle.size() < 8 || handle.read_at(0, length_bytes, 8) < 8) {
    damaged(path, "fewer than 8 bytes");
  }
  uint64_t length = 0;
  for (size_t i = 8; i-- > 0;) length = length << 8 | length_bytes[i];
  if (length > handle.size() - 8) damaged(path, fmt::format("a header of {} bytes", length));
  std::string header(static_cast<size_t>(length), '\0');
  handle.read_at(8, header.data(), header.size());
  TensorFile file;
  file.storage = Buffer(static_cast<size_t>(handle.size() - 8 - length));
  if (handle.read_at(8 + length, file.storage.data(), file.storage.size()) < file.storage.size()) {
    damaged(path, "it became shorter while it was read");
  }
  // The library would take it for the end.
  if (header.find('\0') != std::string::npos) damaged(path, "a header with a byte 00");
  const Json json = parse_json(header, path);
  for (const auto& [name, entry] : JsonReader(json, path).keys()) {
    if (name == "__metadata__") {
      file.metadata = entry.words();
    } else {
      file.tensors.push_back(
          parse_tensor(path, name, entry, file.storage.as<char>(), file.storage.size()));
    }
  }
  std::stable_sort(file.tensors.begin(), file.tensors.end(),
                   [](const Tensor& a, const Tensor& b) { return a.data < b.data; });
  const auto stored = file.metadata.find(checksum_key);
  if (stored != file.metadata.end() && stored->second != file.checksum()) {
    throw DataError(path, "",
                    "the file is damaged, or a program that changed it has left the old checksum",
                    stored->second, file.checksum());
  }
  return file;
}

}  // namespace nnc::runtime
