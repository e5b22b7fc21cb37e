// a^b = exp(b·log|a|) with the sign of odd powers. b·log|a| is needed to more digits than a number
// has, because exp turns its absolute into a relative error: the logarithm is the sum of a short
// number, whose product with half of b is exact, and a rest. f32 powers are computed in f64.
#include <limits>

#include "compiler/ops/math/math.h"
#include "compiler/ops/math/number.h"

namespace nnc::ops::math {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The upper 26 bits of the mantissa: products of two such numbers are exact.
Number short_part(const Number& a) {
  const Number bits = bits_of(a);
  return from_bits(bits & bits.bits(~0x7FFFFFFll));
}

// A sum of two numbers; `high` is short.
struct Pair {
  Number high, low;
};

// log(a) for positive finite a: e·log(2) + 2s + s³·R(s²) with s = f/(2+f), s itself as a pair.
Pair log_pair(const Number& a) {
  const Split parts = split(a);
  const Number f = parts.m - 1.0;
  const Number d = f + 2.0;
  const Number d_short = short_part(d);
  const Number d_rest = (f - (d_short - 2.0));  // d = d_short + d_rest up to nothing
  const Number s = f / d;
  const Number s_short = short_part(s);
  // (f - s_short·d)/d with exact products.
  const Number s_rest = ((f - s_short * d_short) - s_short * d_rest) / d;
  const Number z = s * s;
  const Number r =
      polynomial(z, {1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                     2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                     6.666666666666735130e-01});
  const Number first = parts.e * 6.93147180369123816490e-01;  // exact
  const Number second = s_short * 2.0;                        // exact
  const Number high = first + second;
  const Number lost = select(parts.e == 0.0, a.of(0), (first - high) + second);
  Number low = muladd(s * z, r, s_rest * 2.0);
  low = lost + muladd(parts.e, 1.90821492927058770002e-10, low);
  const Number high_short = short_part(high + low);
  return {high_short, (high - high_short) + low};
}

// exp(b·log(a)) for positive finite a and any b that is not NaN.
Number positive_power(const Number& a, const Number& given) {
  const Number b = max(min(given, 1e290), -1e290);  // no product below is infinite
  const Pair l = log_pair(a);
  const Number b_short = short_part(b);
  const Number main = b_short * l.high;  // exact
  const Number rest = muladd(b, l.low, (b - b_short) * l.high);
  const Number whole = main + rest;
  const Number x = max(min(whole, 710.0), -746.0);
  const Reduced r = reduce_by_log2(x);
  // What `x` misses of main + rest; nothing where it was cut off.
  const Number missing = select(x == whole, (main - whole) + rest, x.of(0));
  const Number n = select(x == x, r.n, x.of(0));
  return scale(small_expm1(r.rest + missing) + 1.0, n);
}

}  // namespace

Number pow(const Number& a, const Number& b) {
  const Number base = abs(a);
  const Number zero = a.of(0), one = a.of(1), infinity = a.of(kInfinity);
  const Number falling = b < 0.0;
  Number result = positive_power(base, b);
  result = select(base == 0.0, select(falling, infinity, zero), result);
  result = select(base == infinity, select(falling, zero, infinity), result);
  const Number negative = bits_of(a) < bits_of(a).bits(0);
  const Number whole = floor(b) == b;  // infinities count as even integers
  const Number half = b * 0.5;
  const Number odd = whole & (floor(half) != half);
  result = select(negative & odd, -result, result);
  const Number undefined = (a < 0.0) & (a > -kInfinity) & (b != floor(b));
  result = select(undefined, a.of(std::numeric_limits<double>::quiet_NaN()), result);
  result = select((a != a) | (b != b), a + b, result);
  return select((a == 1.0) | (b == 0.0), one, result);
}

Value pow(Builder& k, Value a, Value b) {
  const Number x = convert(Number{&k, a}, Scalar::f64), y = convert(Number{&k, b}, Scalar::f64);
  return convert(pow(x, y), a.type.scalar).v;
}

}  // namespace nnc::ops::math
