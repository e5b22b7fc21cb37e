// What file readers return: an array as it is stored, before fields give it a meaning.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/data/stream.h"
#include "runtime/memory.h"

namespace nnc::runtime {

// u8, i32, i64, f32 or f64 in native byte order, row-major; boolean is stored as u8 and narrower
// integers as i32. shape[0] counts rows.
struct RawHeader {
  abi::DType dtype = abi::DType::u8;
  std::vector<int64_t> shape;
  int64_t rows() const { return shape[0]; }
  std::vector<int64_t> row_shape() const { return {shape.begin() + 1, shape.end()}; }
};

struct RawArray {
  RawHeader header;
  Buffer bytes;
};

// rows × … × size_of(dtype); throws DataError when the file says a size that cannot be, or one
// over `max_bytes` (0: no limit).
uint64_t checked_bytes(const std::string& file, const std::vector<int64_t>& shape,
                       size_t element_bytes, uint64_t max_bytes);

// Reads exactly `bytes` bytes of an array of this shape; throws DataError when there are fewer or
// more.
void read_exactly(const std::string& file, ByteStream& stream, void* to, uint64_t bytes,
                  const std::vector<int64_t>& shape);

// "28 × 28".
std::string shape_text(const std::vector<int64_t>& shape);

}  // namespace nnc::runtime
