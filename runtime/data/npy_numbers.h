// How numpy stores numbers, and how they become ours: little-endian, row-major, of types that a
// Table knows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/memory.h"

namespace nnc::runtime {

// "<f4": order of bytes, kind and size.
struct NpyType {
  char kind = 'f';                     // f, i, u, b
  size_t bytes = 4;                    // of a number as stored
  bool swapped = false;                // big-endian
  abi::DType dtype = abi::DType::f32;  // what it becomes
};

// DataError for what cannot be read: text, objects, complex and long double numbers.
NpyType npy_type(const std::string& file, const std::string& descr);

// The numbers in their own type; the order of the elements stays. DataError where a uint64 is too
// large for an int64.
Buffer npy_numbers(const std::string& file, const NpyType& type, Buffer stored);

// Elements that were stored with the first axis running fastest, with the last one running fastest.
Buffer row_major(const Buffer& fortran, const std::vector<int64_t>& shape, size_t element);

}  // namespace nnc::runtime
