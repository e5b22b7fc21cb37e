#include "compiler/ops/generator/philox.h"

namespace nnc::ops::philox {
namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;

using kernel::Op;
using kernel::Scalar;
using kernel::Value;

Value word_constant(kernel::Builder& k, const Value& like, uint32_t bits) {
  return k.constant_int(like.type, static_cast<int32_t>(bits));
}

Value low_word(kernel::Builder& k, Value wide) { return k.convert(wide, Scalar::i32); }

Value high_word(kernel::Builder& k, Value wide) {
  return low_word(k, k.binary(Op::shift_right, wide, k.constant_int(wide.type, 32)));
}

// An i32 as the unsigned number that its bits are, in i64.
Value widen(kernel::Builder& k, Value word) {
  const Value wide = k.convert(word, Scalar::i64);
  return k.binary(Op::bit_and, wide, k.constant_int(wide.type, 0xFFFFFFFFll));
}

}  // namespace

Words block(uint64_t seed, uint64_t stream, uint64_t element, uint32_t step, uint32_t time) {
  const uint64_t mixed = seed ^ stream;
  uint32_t key0 = static_cast<uint32_t>(mixed), key1 = static_cast<uint32_t>(mixed >> 32);
  Words c = {static_cast<uint32_t>(element), static_cast<uint32_t>(element >> 32), step, time};
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{kMultiplier0} * c[0], b = uint64_t{kMultiplier1} * c[2];
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ key0, static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ key1, static_cast<uint32_t>(a)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return c;
}

double uniform24(uint32_t word) { return (word >> 8) * 0x1p-24; }

double uniform53(uint32_t high, uint32_t low) {
  return static_cast<double>((uint64_t{high} << 32 | low) >> 11) * 0x1p-53;
}

std::array<Value, 4> block(kernel::Builder& k, Value seed, uint64_t stream, Value element,
                           Value step) {
  const Value mixed =
      k.binary(Op::bit_xor, seed, k.constant_int(seed.type, static_cast<int64_t>(stream)));
  Value key0 = low_word(k, mixed), key1 = high_word(k, mixed);
  std::array<Value, 4> c = {low_word(k, element), high_word(k, element), low_word(k, step),
                            k.constant_int(element.type.with(Scalar::i32), 0)};
  const Value m0 = word_constant(k, c[0], kMultiplier0), m1 = word_constant(k, c[0], kMultiplier1);
  const Value w0 = word_constant(k, c[0], kWeyl0), w1 = word_constant(k, c[0], kWeyl1);
  for (int round = 0; round < 10; ++round) {
    const Value a_high = k.binary(Op::mul_high, c[0], m0), a_low = k.mul(c[0], m0);
    const Value b_high = k.binary(Op::mul_high, c[2], m1), b_low = k.mul(c[2], m1);
    c = {k.binary(Op::bit_xor, k.binary(Op::bit_xor, b_high, c[1]), key0), b_low,
         k.binary(Op::bit_xor, k.binary(Op::bit_xor, a_high, c[3]), key1), a_low};
    if (round == 9) break;
    key0 = k.add(key0, w0);
    key1 = k.add(key1, w1);
  }
  return c;
}

Value uniform24(kernel::Builder& k, Value word) {
  const Value bits = k.binary(Op::shift_right, word, k.constant_int(word.type, 8));
  const Value number = k.convert(bits, Scalar::f32);
  return k.mul(number, k.constant(number.type, 0x1p-24));
}

Value uniform53(kernel::Builder& k, Value high, Value low) {
  const Value upper = widen(k, high);
  const Value both = k.binary(
      Op::bit_or, k.binary(Op::shift_left, upper, k.constant_int(upper.type, 32)), widen(k, low));
  const Value bits = k.binary(Op::shift_right, both, k.constant_int(both.type, 11));
  const Value number = k.convert(bits, Scalar::f64);
  return k.mul(number, k.constant(number.type, 0x1p-53));
}

}  // namespace nnc::ops::philox
