// log(a) = e·log(2) + log(m). f32: log(1+f) = f - f²/2 + f³·P(f) as in S. Moshier's Cephes library;
// f64: with s = f/(2+f), log(1+f) = f - (f²/2 - s·(f²/2 + R(s²))) as in Sun's fdlibm. e times the
// first part of log(2) is exact.
#include <limits>

#include "compiler/ops/math/math.h"
#include "compiler/ops/math/number.h"

namespace nnc::ops::math {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Number log_single(const Split& parts) {
  const Number f = parts.m - 1.0;
  const Number square = f * f;
  const Number p = polynomial(
      f, {7.0376836292E-2, -1.1514610310E-1, 1.1676998740E-1, -1.2420140846E-1, 1.4249322787E-1,
          -1.6668057665E-1, 2.0000714765E-1, -2.4999993993E-1, 3.3333331174E-1});
  Number rest = muladd(parts.e, -2.12194440e-4, f * square * p);
  rest = muladd(square, -0.5, rest);
  return muladd(parts.e, 0.693359375, f + rest);
}

Number log_double(const Split& parts) {
  const Number f = parts.m - 1.0;
  const Number s = f / (f + 2.0);
  const Number z = s * s;
  const Number r = z * polynomial(z, {1.479819860511658591e-01, 1.531383769920937332e-01,
                                      1.818357216161805012e-01, 2.222219843214978396e-01,
                                      2.857142874366239149e-01, 3.999999999940941908e-01,
                                      6.666666666666735130e-01});
  const Number half_square = f * f * 0.5;
  const Number low = muladd(s, half_square + r, parts.e * 1.90821492927058770002e-10);
  return muladd(parts.e, 6.93147180369123816490e-01, f - (half_square - low));
}

}  // namespace

Split split(const Number& a) {
  const bool single = a.single();
  // Denormals are made normal first.
  const Number tiny = a < (single ? 0x1p-126 : 0x1p-1022);
  const Number normal = select(tiny, a * (single ? 0x1p24 : 0x1p54), a);
  const Number shift = select(tiny, a.of(single ? -24 : -54), a.of(0));
  const Number bits = bits_of(normal);
  const Number root = bits.bits(single ? 0x3F3504F3 : 0x3FE6A09E667F3BCDll);  // sqrt(1/2)
  const Number offset = bits - root;
  const Number width = bits.bits(single ? 23 : 52);
  const Number e = convert(binary(Op::shift_right_signed, offset, width), a.v.type.scalar);
  const Number mantissa = offset & bits.bits(single ? 0x7FFFFF : 0xFFFFFFFFFFFFFll);
  return {from_bits(mantissa + root), e + shift};
}

Number log(const Number& a) {
  const Split parts = split(a);
  const Number finite = a.single() ? log_single(parts) : log_double(parts);
  const Number positive = select(a < kInfinity, finite, a);  // infinity and NaN stay
  const Number low =
      select(a == 0.0, a.of(-kInfinity), a.of(std::numeric_limits<double>::quiet_NaN()));
  return select(a > 0.0, positive, select(a == a, low, a));
}

Number log1p(const Number& a) {
  // The error of 1 + a is known exactly, and log(u + c) = log(u) + c/u to the last digit.
  const Number u = a + 1.0;
  const Number c = select(a > 1.0, a.of(1) - (u - a), a - (u - 1.0));
  const Number regular = (u > 0.0) & (u < kInfinity);
  const Number correction = select(regular, c / u, a.of(0));
  return select(u == 1.0, a, log(u) + correction);
}

Value log(Builder& k, Value x) { return log(Number{&k, x}).v; }
Value log1p(Builder& k, Value x) { return log1p(Number{&k, x}).v; }

}  // namespace nnc::ops::math
