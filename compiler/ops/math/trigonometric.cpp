// sin and cos: a = q·π/2 + r with |r| <= π/4, by parts of π/2 of which q times each is exact (Cody
// and Waite), then the polynomials of Cephes (f32) and fdlibm (f64). f32 arguments are reduced in
// f64, where two parts are enough.
#include <cmath>

#include "compiler/ops/math/math.h"
#include "compiler/ops/math/number.h"

namespace nnc::ops::math {
namespace {

struct Turned {
  Number quarter;  // 0, 1, 2 or 3, as a float
  Number rest;
};

// q modulo 4 without integers: q may be too large for any.
Number quarter_of(const Number& q) { return muladd(floor(q * 0.25), -4.0, q); }

Turned turn(const Number& a) {
  const Number x = convert(a, Scalar::f64);
  const Number q = nearest(x * M_2_PI);
  Number rest = muladd(q, -1.57079632673412561417e+00, x);
  rest = muladd(q, -6.07710050630396597660e-11, rest);
  rest = muladd(q, -2.02226624879595063154e-21, rest);
  rest = max(min(rest, 0.8), -0.8);  // huge arguments have lost their digits, but stay on the curve
  return {convert(quarter_of(q), a.v.type.scalar), convert(rest, a.v.type.scalar)};
}

Number small_sin(const Number& r) {
  const Number z = r * r;
  const Number p = r.single()
                       ? polynomial(z, {-1.9515295891E-4, 8.3321608736E-3, -1.6666654611E-1})
                       : polynomial(z, {1.58969099521155010221e-10, -2.50507602534068634195e-08,
                                        2.75573137070700676789e-06, -1.98412698298579493134e-04,
                                        8.33333333332248946124e-03, -1.66666666666666324348e-01});
  return muladd(r * z, p, r);
}

Number small_cos(const Number& r) {
  const Number z = r * r;
  const Number p =
      r.single()
          ? polynomial(z, {2.443315711809948E-5, -1.388731625493765E-3, 4.166664568298827E-2})
          : polynomial(z, {-1.13596475577881948265e-11, 2.08757232129817482790e-09,
                           -2.75573143513906633035e-07, 2.48015872894767294178e-05,
                           -1.38888888888741095749e-03, 4.16666666666666019037e-02});
  // 1 - z/2 rounds; what it loses is added back.
  const Number half = z * 0.5;
  const Number w = r.of(1) - half;
  return w + muladd(z * z, p, (r.of(1) - w) - half);
}

// The sine of quarter·π/2 + rest.
Number sine(const Number& quarter, const Number& rest) {
  const Number odd = (quarter == 1.0) | (quarter == 3.0);
  const Number value = select(odd, small_cos(rest), small_sin(rest));
  return select(quarter >= 2.0, -value, value);
}

// The next quarter: cos(x) = sin(x + π/2).
Number next(const Number& quarter) { return select(quarter == 3.0, quarter.of(0), quarter + 1.0); }

}  // namespace

Value sin(Builder& k, Value x) {
  const Number a{&k, x};
  const Turned t = turn(a);
  return select(a == 0.0, a, sine(t.quarter, t.rest)).v;  // keeps the sign of zero
}

Value cos(Builder& k, Value x) {
  const Turned t = turn(Number{&k, x});
  return sine(next(t.quarter), t.rest).v;
}

Value cos_turns(Builder& k, Value u) {
  const Number quarters = Number{&k, u} * 4.0;
  const Number q = nearest(quarters);
  return sine(next(quarter_of(q)), (quarters - q) * M_PI_2).v;
}

}  // namespace nnc::ops::math
