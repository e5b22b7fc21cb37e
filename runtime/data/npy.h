// NumPy's array files: .npy, and .npz, a zip archive of them.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <span>

#include "runtime/data/raw.h"

namespace nnc::runtime {

// Floats of 2, 4 and 8 bytes, i1 to i8, u1 to u8 and b1, of either byte order, in C or Fortran
// order; anything else is a DataError that says so.
RawHeader probe_npy(const std::string& path);
RawArray read_npy(const std::string& path, uint64_t max_bytes);

RawHeader probe_npz(const std::string& path, const std::string& array);
RawArray read_npz(const std::string& path, const std::string& array, uint64_t max_bytes);
// Names of the arrays in a .npz file.
std::vector<std::string> npz_arrays(const std::string& path);

// Writing. The bytes of `dtype` (f32, f64, i32, i64, u8, boolean) in row-major order.
std::string npy_text(abi::DType dtype, const std::vector<int64_t>& shape, const void* data);
void write_npy(const std::string& path, abi::DType dtype, const std::vector<int64_t>& shape,
               const void* data);
struct NamedArray {
  std::string name;
  abi::DType dtype = abi::DType::f32;
  std::vector<int64_t> shape;
  const void* data = nullptr;
};
void write_npz(const std::string& path, std::span<const NamedArray> arrays);

}  // namespace nnc::runtime
