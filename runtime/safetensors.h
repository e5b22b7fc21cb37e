// The safetensors format: a JSON header (length, names, types, shapes, offsets, metadata strings)
// and raw little-endian row-major bytes. https://github.com/huggingface/safetensors
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/atomic_file.h"
#include "runtime/memory.h"

namespace nnc::runtime {

struct Tensor {
  std::string name;
  abi::DType dtype = abi::DType::f32;
  std::vector<int64_t> shape;
  const void* data = nullptr;  // not owned
  size_t bytes() const;
};

// A file in memory; tensors point into it. In the order of their bytes in the file.
struct TensorFile {
  std::vector<Tensor> tensors;
  std::map<std::string, std::string> metadata;
  Buffer storage;

  const Tensor* find(const std::string& name) const;
  // Of the names, shapes, types, values and metadata that are there; as the metadata `checksum` it
  // guards them.
  std::string checksum() const;
};

// Writes the file atomically (see write_atomically), with a checksum, which is returned. Throws
// DataError.
std::string write_safetensors(const Destination& to, const std::vector<Tensor>& tensors,
                              std::map<std::string, std::string> metadata = {});

// Reads and checks the whole file: header, offsets, sizes, and the checksum if it has one: files of
// other programs have none. Throws DataError.
TensorFile read_safetensors(const std::string& path);

}  // namespace nnc::runtime
