#include "runtime/data/idx.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "runtime/data/error.h"

namespace nnc::runtime {
namespace {

using abi::DType;

// The third byte of the file.
enum IdxType : uint8_t { idx_u8 = 8, idx_i8, idx_i16 = 11, idx_i32, idx_f32, idx_f64 };

size_t stored_bytes(uint8_t type) {
  switch (type) {
    case idx_u8:
    case idx_i8: return 1;
    case idx_i16: return 2;
    case idx_i32:
    case idx_f32: return 4;
    case idx_f64: return 8;
    default: return 0;
  }
}

DType dtype_of(uint8_t type) {
  switch (type) {
    case idx_u8: return DType::u8;
    case idx_f32: return DType::f32;
    case idx_f64: return DType::f64;
    default: return DType::i32;
  }
}

struct IdxHeader {
  RawHeader raw;
  uint8_t type = 0;
};

uint32_t big_endian(const unsigned char* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

IdxHeader read_header(const std::string& path, ByteStream& stream) {
  unsigned char magic[4] = {};
  if (stream.read(magic, 4) < 4) {
    throw DataError(path, "byte 0", "the file is truncated", "an idx header of 4 bytes or more");
  }
  if (magic[0] != 0 || magic[1] != 0 || stored_bytes(magic[2]) == 0 || magic[3] == 0) {
    throw DataError(
        path, "byte 0", "this is not an idx file",
        "00 00, a type (08, 09, 0b … 0e), the number of axes",
        fmt::format("{:02x} {:02x} {:02x} {:02x}", magic[0], magic[1], magic[2], magic[3]));
  }
  IdxHeader header;
  header.type = magic[2];
  header.raw.dtype = dtype_of(magic[2]);
  for (int axis = 0; axis < magic[3]; ++axis) {
    unsigned char size[4] = {};
    if (stream.read(size, 4) < 4) {
      throw DataError(path, fmt::format("byte {}", 4 + 4 * axis), "the file is truncated",
                      fmt::format("the sizes of {} axes", magic[3]),
                      fmt::format("{} of them", axis));
    }
    header.raw.shape.push_back(big_endian(size));
  }
  return header;
}

template <class Wide, class Bits>
Buffer swapped(const Buffer& stored, size_t count) {
  Buffer result(count * sizeof(Wide));
  for (size_t i = 0; i < count; ++i) {
    Bits bits = 0;
    const auto* bytes = stored.as<unsigned char>() + i * sizeof(Bits);
    for (size_t k = 0; k < sizeof(Bits); ++k) bits = static_cast<Bits>(bits << 8 | bytes[k]);
    if constexpr (sizeof(Wide) == sizeof(Bits)) {
      result.as<Wide>()[i] = std::bit_cast<Wide>(bits);
    } else {
      result.as<Wide>()[i] = static_cast<std::make_signed_t<Bits>>(bits);
    }
  }
  return result;
}

Buffer native(uint8_t type, const Buffer& stored, size_t count) {
  switch (type) {
    case idx_i16: return swapped<int32_t, uint16_t>(stored, count);
    case idx_i32: return swapped<int32_t, uint32_t>(stored, count);
    case idx_f32: return swapped<float, uint32_t>(stored, count);
    case idx_f64: return swapped<double, uint64_t>(stored, count);
    default: break;
  }
  Buffer result(count * sizeof(int32_t));  // idx_i8
  for (size_t i = 0; i < count; ++i) result.as<int32_t>()[i] = stored.as<int8_t>()[i];
  return result;
}

}  // namespace

RawHeader probe_idx(const std::string& path) {
  const std::unique_ptr<ByteStream> stream = open_stream(path);
  return read_header(path, *stream).raw;
}

RawArray read_idx(const std::string& path, uint64_t max_bytes) {
  const std::unique_ptr<ByteStream> stream = open_stream(path);
  IdxHeader header = read_header(path, *stream);
  const size_t element = stored_bytes(header.type);
  const uint64_t bytes = checked_bytes(path, header.raw.shape, element, max_bytes);
  Buffer stored(static_cast<size_t>(bytes));
  read_exactly(path, *stream, stored.data(), bytes, header.raw.shape);
  if (header.type == idx_u8) return {std::move(header.raw), std::move(stored)};
  Buffer converted = native(header.type, stored, static_cast<size_t>(bytes) / element);
  return {std::move(header.raw), std::move(converted)};
}

}  // namespace nnc::runtime
