// exp(a) = 2^n · exp(r), a = n·log(2) + r, |r| <= log(2)/2, and exp(r) by a polynomial: the usual
// reduction (Cody and Waite, "Software Manual for the Elementary Functions", 1980). log(2) is taken
// off in two parts, of which the first has so few bits that n times it is exact, with and without
// FMA. The polynomials are Chebyshev fits of (exp(r) - 1 - r)/r²: 8e-9 (f32), 1.3e-17 (f64).
#include "compiler/ops/math/math.h"
#include "compiler/ops/math/number.h"

namespace nnc::ops::math {

Reduced reduce_by_log2(const Number& a) {
  const Number n = nearest(a * 1.44269504088896341);
  const double high = a.single() ? 0.693359375 : 6.93147180369123816490e-01;
  const double low = a.single() ? -2.12194440e-4 : 1.90821492927058770002e-10;
  return {n, muladd(n, -low, muladd(n, -high, a))};
}

Number small_expm1(const Number& r) {
  const Number p =
      r.single()
          ? polynomial(r, {0.00139262508314976117, 0.0083632328836826182, 0.0416665542129841503,
                           0.166665766661199283, 0.5})
          : polynomial(r, {2.5100472505694996e-8, 2.76202015910315488e-7, 2.75572682769056962e-6,
                           0.0000248015210578682052, 0.00019841269863171556, 0.00138888889173670806,
                           0.0083333333333300382, 0.0416666666666238205, 0.166666666666666675,
                           0.500000000000000103});
  return muladd(r * r, p, r);
}

Number scale(const Number& a, const Number& n) {
  // Two factors, so that neither overflows where the product does not, and denormals round once.
  const bool single = a.single();
  const Number whole = convert(n, single ? Scalar::i32 : Scalar::i64);
  const Number half = binary(Op::shift_right_signed, whole, whole.bits(1));
  const auto power = [&](const Number& e) {
    const Number biased = e + whole.bits(single ? 127 : 1023);
    return from_bits(binary(Op::shift_left, biased, whole.bits(single ? 23 : 52)));
  };
  return a * power(half) * power(whole - half);
}

Number exp(const Number& a) {
  const bool single = a.single();
  // Beyond these bounds the result is 0 or infinite, and the exponents of the factors would not
  // fit. The order of min and max keeps NaN; its n is replaced by 0, which converts to an integer.
  const Number x = max(min(a, single ? 89.0 : 710.0), single ? -104.0 : -746.0);
  const Reduced r = reduce_by_log2(x);
  const Number n = select(x == x, r.n, x.of(0));
  return scale(small_expm1(r.rest) + 1.0, n);
}

Number half_expm1(const Number& a) {
  const bool single = a.single();
  const Reduced r = reduce_by_log2(a);
  // 2^(n-1)·(exp(r) - 1) + (2^(n-1) - 1/2). Units of 1.5·2^23 are 1, so the last bits of the sum
  // are the biased exponent n - 1: no conversion, which would not take a NaN.
  const Number biased = bits_of(r.n + (single ? 0x1.8p23 + 126 : 0x1.8p52 + 1022));
  const Number half = from_bits(binary(Op::shift_left, biased, biased.bits(single ? 23 : 52)));
  return muladd(half, small_expm1(r.rest), half - 0.5);
}

Number expm1(const Number& a) {
  const bool single = a.single();
  const Number x = max(min(a, single ? 89.0 : 710.0), single ? -20.0 : -40.0);
  return select(a == 0.0, a, half_expm1(x) * 2.0);
}

Value exp(Builder& k, Value x) { return exp(Number{&k, x}).v; }
Value expm1(Builder& k, Value x) { return expm1(Number{&k, x}).v; }

}  // namespace nnc::ops::math
