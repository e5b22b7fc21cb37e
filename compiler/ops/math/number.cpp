#include "compiler/ops/math/number.h"

#include <limits>

namespace nnc::ops::math {
namespace {

Number sign_bit(const Number& bits) {
  return bits.bits(bits.v.type.scalar == Scalar::i32 ? std::numeric_limits<int32_t>::min()
                                                     : std::numeric_limits<int64_t>::min());
}

}  // namespace

Number bits_of(const Number& a) {
  return {a.k, a.k->bitcast(a.v, a.v.type.with(a.single() ? Scalar::i32 : Scalar::i64))};
}

Number from_bits(const Number& bits) {
  const bool single = bits.v.type.scalar == Scalar::i32;
  return {bits.k, bits.k->bitcast(bits.v, bits.v.type.with(single ? Scalar::f32 : Scalar::f64))};
}

Number with_sign(const Number& a, const Number& b) {
  const Number magnitude = bits_of(abs(a)), sign = bits_of(b);
  return from_bits(magnitude | (sign & sign_bit(sign)));
}

Number polynomial(const Number& x, const std::vector<double>& highest_first) {
  Number sum = x.of(highest_first.at(0));
  for (size_t i = 1; i < highest_first.size(); ++i) {
    sum = muladd(sum, x, x.of(highest_first[i]));
  }
  return sum;
}

}  // namespace nnc::ops::math
