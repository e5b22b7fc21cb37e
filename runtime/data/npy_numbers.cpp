#include "runtime/data/npy_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "runtime/data/error.h"

namespace nnc::runtime {
namespace {

using abi::DType;

// IEEE 754 binary16, exactly: every half is a float.
float float_of(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = half >> 10 & 31, mantissa = half & 0x3FF;
  if (exponent == 0) {  // zero and denormals: mantissa · 2^-24
    const float small = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -small : small;
  }
  const uint32_t widened = exponent == 31 ? 255 : exponent + 127 - 15;
  const uint32_t bits = sign | widened << 23 | mantissa << 13;
  float result = 0;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

template <class Stored, class Wide, class Convert>
Buffer converted(const Buffer& stored, Convert convert) {
  const size_t count = stored.size() / sizeof(Stored);
  Buffer result(count * sizeof(Wide));
  for (size_t i = 0; i < count; ++i) result.as<Wide>()[i] = convert(stored.as<Stored>()[i]);
  return result;
}

template <class Stored, class Wide>
Buffer widened(const Buffer& stored) {
  return converted<Stored, Wide>(stored, [](Stored x) { return static_cast<Wide>(x); });
}

// uint64 is kept as int64: half of its range is refused.
void check_signed(const std::string& file, const Buffer& stored) {
  const size_t count = stored.size() / sizeof(int64_t);
  for (size_t i = 0; i < count; ++i) {
    if (stored.as<int64_t>()[i] >= 0) continue;
    throw DataError(file, fmt::format("number {} (counted from 0)", i), "this integer is too large",
                    "at most 9223372036854775807", fmt::format("{}", stored.as<uint64_t>()[i]));
  }
}

DType dtype_of(char kind, size_t bytes) {
  if (kind == 'f') return bytes == 8 ? DType::f64 : DType::f32;
  if (kind == 'b' || (kind == 'u' && bytes == 1)) return DType::u8;
  const bool wide = bytes == 8 || (kind == 'u' && bytes == 4);
  return wide ? DType::i64 : DType::i32;
}

}  // namespace

NpyType npy_type(const std::string& file, const std::string& descr) {
  const char order = descr.empty() ? '?' : descr[0];
  const char kind = descr.size() < 2 ? '?' : descr[1];
  const std::string size = descr.size() < 2 ? "" : descr.substr(2);
  const std::string sizes = kind == 'f'                  ? "248"
                            : kind == 'i' || kind == 'u' ? "1248"
                            : kind == 'b'                ? "1"
                                                         : "";
  const bool known = size.size() == 1 && sizes.find(size) != std::string::npos &&
                     std::string("<>|=").find(order) != std::string::npos;
  if (known) {
    const auto bytes = static_cast<size_t>(size[0] - '0');
    return {kind, bytes, order == '>' && bytes > 1, dtype_of(kind, bytes)};
  }
  const bool text = kind == 'U' || kind == 'S';
  throw DataError(file, "its header",
                  text ? "text cannot be read from arrays; csv files may hold words"
                       : "numbers of this type cannot be read",
                  "float16, float32, float64, int8 to int64, uint8 to uint64 or bool",
                  "'" + descr + "'");
}

Buffer npy_numbers(const std::string& file, const NpyType& type, Buffer stored) {
  if (type.swapped)
    for (size_t at = 0; at + type.bytes <= stored.size(); at += type.bytes)
      std::reverse(stored.as<char>() + at, stored.as<char>() + at + type.bytes);
  if (type.kind == 'f' && type.bytes == 2) return converted<uint16_t, float>(stored, float_of);
  if (type.kind == 'i' && type.bytes == 1) return widened<int8_t, int32_t>(stored);
  if (type.kind == 'i' && type.bytes == 2) return widened<int16_t, int32_t>(stored);
  if (type.kind == 'u' && type.bytes == 2) return widened<uint16_t, int32_t>(stored);
  if (type.kind == 'u' && type.bytes == 4) return widened<uint32_t, int64_t>(stored);
  if (type.kind == 'u' && type.bytes == 8) check_signed(file, stored);
  return stored;
}

Buffer row_major(const Buffer& fortran, const std::vector<int64_t>& shape, size_t element) {
  Buffer result(fortran.size());
  if (result.size() == 0) return result;  // its other extents may be anything
  std::vector<int64_t> index(shape.size(), 0), stride(shape.size(), 1);
  for (size_t i = 1; i < shape.size(); ++i) stride[i] = stride[i - 1] * shape[i - 1];
  int64_t from = 0;  // of the element at `index`
  for (size_t to = 0; to + element <= result.size(); to += element) {
    std::memcpy(result.as<char>() + to, fortran.as<char>() + static_cast<size_t>(from) * element,
                element);
    for (size_t axis = shape.size(); axis-- > 0;) {
      from += stride[axis];
      if (++index[axis] < shape[axis]) break;
      from -= stride[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}

}  // namespace nnc::runtime
