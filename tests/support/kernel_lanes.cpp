#include <bit>
#include <cmath>
#include <limits>

#include "compiler/support/diagnostics.h"
#include "tests/support/kernel_interpreter.h"

namespace nnc::testing {

using kernel::Op;
using kernel::Scalar;

Lane lane_of(float value) { return std::bit_cast<uint32_t>(value); }
Lane lane_of(double value) { return std::bit_cast<uint64_t>(value); }
Lane lane_of(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

namespace {

template <typename T>
T value_of(Lane lane) {
  if constexpr (std::is_same_v<T, float>) return std::bit_cast<float>(static_cast<uint32_t>(lane));
  if constexpr (std::is_same_v<T, double>) return std::bit_cast<double>(lane);
  return static_cast<T>(lane);
}

template <typename T>
Lane lane_from(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return lane_of(value);
  } else {
    return static_cast<Lane>(static_cast<std::make_unsigned_t<T>>(value));
  }
}

[[noreturn]] void unknown(Op op) {
  throw InternalError(std::string("internal error: no such lane operation: ") + name_of(op));
}

template <typename T>
Lane compare(Op op, T a, T b) {
  switch (op) {
    case Op::eq: return a == b;
    case Op::ne: return a != b;
    case Op::lt: return a < b;
    case Op::le: return a <= b;
    case Op::gt: return a > b;
    default: return a >= b;
  }
}

template <typename T>
T float_operation(Op op, T a, T b, T c, bool fma) {
  switch (op) {
    case Op::add: return a + b;
    case Op::sub: return a - b;
    case Op::mul: return a * b;
    case Op::div: return a / b;
    case Op::neg: return -a;
    case Op::abs: return std::fabs(a);
    case Op::sqrt: return std::sqrt(a);
    case Op::floor: return std::floor(a);
    case Op::round_even: return std::nearbyint(a);
    case Op::min: return b < a ? b : a;
    case Op::max: return a < b ? b : a;
    case Op::muladd: return fma ? std::fma(a, b, c) : a * b + c;
    default: unknown(op);
  }
}

// T is int32_t, int64_t or uint8_t. Arithmetic wraps, so it is done on the unsigned type.
template <typename T>
T integer_operation(Op op, T a, T b) {
  using U = std::make_unsigned_t<T>;
  const auto x = static_cast<uint64_t>(static_cast<U>(a));
  const auto y = static_cast<uint64_t>(static_cast<U>(b));
  switch (op) {
    case Op::add: return static_cast<T>(x + y);
    case Op::sub: return static_cast<T>(x - y);
    case Op::mul: return static_cast<T>(x * y);
    case Op::div: return static_cast<T>(a / b);
    case Op::rem: return static_cast<T>(a % b);
    case Op::neg: return static_cast<T>(0 - x);
    case Op::abs: return a < 0 ? static_cast<T>(0 - x) : a;
    case Op::min: return b < a ? b : a;
    case Op::max: return a < b ? b : a;
    case Op::bit_and: return static_cast<T>(x & y);
    case Op::bit_or: return static_cast<T>(x | y);
    case Op::bit_xor: return static_cast<T>(x ^ y);
    case Op::shift_left: return static_cast<T>(x << y);
    case Op::shift_right: return static_cast<T>(x >> y);
    case Op::shift_right_signed: return static_cast<T>(static_cast<std::make_signed_t<T>>(a) >> y);
    case Op::mul_high: return static_cast<T>((x * y) >> 32);
    case Op::popcount: return static_cast<T>(std::popcount(x));
    default: unknown(op);
  }
}

template <typename T>
Lane operation(Op op, const Lane* in, bool fma) {
  const T a = value_of<T>(in[0]), b = value_of<T>(in[1]);
  if (op >= Op::eq && op <= Op::ge) return compare(op, a, b);
  if constexpr (std::is_floating_point_v<T>) {
    return lane_of(float_operation<T>(op, a, b, value_of<T>(in[2]), fma));
  } else {
    return lane_from(integer_operation<T>(op, a, b));
  }
}

Lane boolean_operation(Op op, const Lane* in) {
  switch (op) {
    case Op::bit_and: return in[0] & in[1];
    case Op::bit_or: return in[0] | in[1];
    case Op::bit_xor: return in[0] ^ in[1];
    default: return compare(op, in[0], in[1]);
  }
}

float from_bf16(Lane lane) { return std::bit_cast<float>(static_cast<uint32_t>(lane << 16)); }

// To nearest even, by looking at what is cut off.
Lane to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  uint32_t upper = bits >> 16;
  if (std::isnan(value)) return upper | 0x40;
  const uint32_t rest = bits & 0xffff;
  if (rest > 0x8000 || (rest == 0x8000 && (upper & 1))) ++upper;
  return upper;
}

template <typename From>
Lane convert_from(From value, Scalar to) {
  switch (to) {
    case Scalar::i1: return value != From{0};
    case Scalar::u8:
      if constexpr (std::is_floating_point_v<From>) {
        return static_cast<uint8_t>(static_cast<int32_t>(value));
      }
      return static_cast<uint8_t>(value);
    case Scalar::i32: return lane_from(static_cast<int32_t>(value));
    case Scalar::i64: return lane_from(static_cast<int64_t>(value));
    case Scalar::f32: return lane_of(static_cast<float>(value));
    case Scalar::f64: return lane_of(static_cast<double>(value));
    case Scalar::bf16: return to_bf16(static_cast<float>(value));
    default: unknown(Op::convert);
  }
}

Lane convert(Scalar from, Scalar to, Lane lane) {
  switch (from) {
    case Scalar::i1:
    case Scalar::u8: return convert_from(static_cast<uint8_t>(lane), to);
    case Scalar::i32: return convert_from(static_cast<int32_t>(lane), to);
    case Scalar::i64: return convert_from(static_cast<int64_t>(lane), to);
    case Scalar::f32: return convert_from(value_of<float>(lane), to);
    case Scalar::f64: return convert_from(value_of<double>(lane), to);
    case Scalar::bf16: return to == from ? lane : convert_from(from_bf16(lane), to);
    default: unknown(Op::convert);
  }
}

}  // namespace

Lane evaluate(Op op, Scalar type, Scalar from, const Lane* in, bool fma) {
  if (op == Op::select) return in[0] ? in[1] : in[2];
  if (op == Op::convert) return convert(from, type, in[0]);
  switch (from) {
    case Scalar::i1: return boolean_operation(op, in);
    case Scalar::u8: return operation<uint8_t>(op, in, fma);
    case Scalar::i32: return operation<int32_t>(op, in, fma);
    case Scalar::i64: return operation<int64_t>(op, in, fma);
    case Scalar::f32: return operation<float>(op, in, fma);
    case Scalar::f64: return operation<double>(op, in, fma);
    default: unknown(op);
  }
}

}  // namespace nnc::testing
