#include "runtime/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "runtime/atomic_file.h"
#include "runtime/data/error.h"
#include "runtime/data/stream.h"

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

Tensor parse_tensor(const std::string& path, const std::string& name, const Json& entry,
                    const char* data, size_t data_bytes) {
  const std::optional<DType> dtype = type_of(entry.at("dtype").get<std::string>());
  if (!dtype) damaged(path, fmt::format("tensor '{}' of an unknown type", name));
  Tensor tensor{name, *dtype, entry.at("shape").get<std::vector<int64_t>>(), nullptr};
  const auto first = entry.at("data_offsets").at(0).get<uint64_t>();
  const auto last = entry.at("data_offsets").at(1).get<uint64_t>();
  uint64_t bytes = abi::size_of(*dtype);
  for (int64_t extent : tensor.shape) {
    if (extent < 0 || (extent > 0 && bytes > data_bytes / static_cast<uint64_t>(extent))) {
      damaged(path, fmt::format("tensor '{}' is larger than the file", name));
    }
    bytes *= static_cast<uint64_t>(extent);
  }
  if (first > last || last > data_bytes || last - first != bytes) {
    damaged(path, fmt::format("tensor '{}' has {} bytes at {} … {} of {}", name, bytes, first, last,
                              data_bytes));
  }
  tensor.data = data + first;
  return tensor;
}

}  // namespace

size_t Tensor::bytes() const {
  size_t n = abi::size_of(dtype);
  for (int64_t extent : shape) n *= static_cast<size_t>(extent);
  return n;
}

const Tensor* TensorFile::find(const std::string& name) const {
  for (const Tensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

void write_safetensors(const std::string& path, const std::vector<Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json json = Json::object();
  if (!metadata.empty()) json["__metadata__"] = metadata;
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
  write_atomically(path, parts);
}

TensorFile read_safetensors(const std::string& path) {
  const FileHandle handle(path);
  unsigned char length_bytes[8] = {};
  if (handle.read_at(0, length_bytes, 8) < 8) damaged(path, "fewer than 8 bytes");
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
  try {
    const Json json = Json::parse(header);
    for (const auto& [name, entry] : json.items()) {
      if (name == "__metadata__") {
        file.metadata = entry.get<std::map<std::string, std::string>>();
      } else {
        file.tensors.push_back(
            parse_tensor(path, name, entry, file.storage.as<char>(), file.storage.size()));
      }
    }
  } catch (const nlohmann::json::exception& error) {
    damaged(path, error.what());
  }
  std::stable_sort(file.tensors.begin(), file.tensors.end(),
                   [](const Tensor& a, const Tensor& b) { return a.data < b.data; });
  return file;
}

}  // namespace nnc::runtime
