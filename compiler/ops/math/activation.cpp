// tanh, sigmoid, softplus and erf.
#include <cmath>

#include "compiler/ops/math/math.h"
#include "compiler/ops/math/number.h"

namespace nnc::ops::math {
namespace {

// Below 1 a polynomial in a²; above, 1 - exp(-R(x)) with R fitted to -log(erfc(x)), up to 3.93,
// where 1 is nearer. Chebyshev fits: 1.2e-9 and, as far as it shows in the result, 2.4e-9.
Number erf_single(const Number& a) {
  const Number small =
      a * polynomial(a * a, {7.87587506269e-5, -0.000801686428717, 0.00518908742343,
                             -0.0268542120106, 0.112835947152, -0.376126266667, 1.12837916585});
  const Number x = max(min(abs(a), 4.0), 1.0);
  const Number r = polynomial(
      x, {-1.66644765575e-6, 4.66129954862e-5, -0.000601283768826, 0.0047796657976,
          -0.0264756796777, 0.110171993339, 0.631732383724, 1.13028618305, -0.000332703904457});
  const Number large = x.of(1) - exp(-r);
  return select(abs(a) < 1.0, small, with_sign(large, a));
}

// Below 1 a polynomial in a²; above, 1 - exp(-x²)·g(t)/(1+2x) with t = (x-3)/(x+3), since
// erfc(x)·exp(x²)·(1+2x) varies little (W. J. Cody, "Rational Chebyshev approximations for the
// error function", 1969). Chebyshev fits: 1.3e-19 and 2.4e-17.
Number erf_double(const Number& a) {
  const Number z = a * a;
  const Number small =
      a * polynomial(z, {5.9571761477489114e-11, -1.13728488567916737e-9, 1.46597752740474358e-8,
                         -1.6350312701054695e-7, 1.6461000484121368e-6, -0.0000149255952668311816,
                         0.000120553311116427109, -0.000854832698083378991, 0.00522397762481801447,
                         -0.0268661706450767932, 0.112837916709548787, -0.376126389031837481,
                         1.12837916709551257});
  const Number x = max(min(abs(a), 6.0), 1.0);
  const Number t = (x - 3.0) / (x + 3.0);
  const Number g =
      polynomial(t, {2.28498254794700492e-6, -1.04741064798324243e-6, -0.0000197243327754361447,
                     5.11101994465323731e-6, 0.000125051214175013479, -0.000105187632423234682,
                     -0.000779829451748308338, 0.0018886926936596247, 0.00252939175089516179,
                     -0.0237705150197666272, 0.0683080273439064438, -0.119273663413192303,
                     0.129645158702777997, -0.0475622943534676418, -0.135621106124581269,
                     1.25300805826972967});
  const Number large = x.of(1) - exp(-(x * x)) * g / muladd(x, 2.0, x.of(1));
  return select(abs(a) < 1.0, small, with_sign(large, a));
}

}  // namespace

// With h = (exp(2|a|) - 1)/2: h/(h+1). A ratio of two polynomials in a² would be a quarter cheaper,
// but near 1, where units are half as large, its rounding errors exceed 4 of them.
Value tanh(Builder& k, Value x) {
  const Number a{&k, x};
  const Number bounded = min(abs(a), a.single() ? 10.0 : 22.0);
  const Number h = half_expm1(bounded + bounded);
  return with_sign(h / (h + 1.0), a).v;
}

Value erf(Builder& k, Value x) {
  const Number a{&k, x};
  return (a.single() ? erf_single(a) : erf_double(a)).v;
}

Value sigmoid(Builder& k, Value x) {
  // e <= 1 always; for negative a, e/(1+e) keeps the digits of small results.
  const Number a{&k, x};
  const Number e = exp(-abs(a));
  return (select(a < 0.0, e, a.of(1)) / (e + 1.0)).v;
}

Value softplus(Builder& k, Value x) {
  const Number a{&k, x};
  return (max(a, 0.0) + log1p(exp(-abs(a)))).v;
}

}  // namespace nnc::ops::math
