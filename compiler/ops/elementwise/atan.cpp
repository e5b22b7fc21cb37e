// Arc tangents, by the reduction and rational form of Moshier's Cephes library (atan.c): the
// argument is brought to |x| <= 0.66 by atan(x) = π/2 - atan(1/x) and π/4 + atan((x-1)/(x+1)).
#include <cmath>

#include "compiler/ops/math/number.h"
#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

using kernel::Op;
using kernel::Value;

constexpr double numerator[] = {-8.750608600031904122785e-1, -1.615753718733365076637e1,
                                -7.500855792314704667340e1, -1.228866684490136173410e2,
                                -6.485021904942025371773e1};
constexpr double denominator[] = {1.0,
                                  2.485846490142306297962e1,
                                  1.650270098316988542046e2,
                                  4.328810604912902668951e2,
                                  4.853903996359136964868e2,
                                  1.945506571482613964425e2};
constexpr double tan_3_eighths_pi = 2.41421356237309504880;
constexpr double half_pi = 1.5707963267948966192, quarter_pi = 0.78539816339744830962;
constexpr double rest_of_half_pi = 6.123233995736765886130e-17;  // half_pi less its f64 rounding

template <size_t N>
Value horner(LowerContext& c, Value z, const double (&coefficients)[N]) {
  Value sum = constant_like(c.k, z, coefficients[0]);
  for (size_t i = 1; i < N; ++i) sum = c.k.muladd(sum, z, constant_like(c.k, z, coefficients[i]));
  return sum;
}

Value arc_tangent(LowerContext& c, Value argument) {
  kernel::Builder& k = c.k;
  const auto number = [&](double value) { return constant_like(k, argument, value); };
  const Value a = k.unary(Op::abs, argument);
  const Value one = number(1);
  const Value large = k.compare(Op::gt, a, number(tan_3_eighths_pi));
  const Value small = k.compare(Op::le, a, number(0.66));
  const Value inverse = k.div(number(-1), a);
  const Value middle = k.div(k.sub(a, one), k.add(a, one));
  const Value x = k.select(large, inverse, k.select(small, a, middle));
  const Value start =
      k.select(large, number(half_pi), k.select(small, number(0), number(quarter_pi)));
  const Value rest = k.select(large, number(rest_of_half_pi),
                              k.select(small, number(0), number(rest_of_half_pi / 2)));
  const Value z = k.mul(x, x);
  const Value quotient = k.div(k.mul(z, horner(c, z, numerator)), horner(c, z, denominator));
  const Value angle = k.add(start, k.add(k.muladd(x, quotient, x), rest));
  const Value negative = k.compare(Op::lt, argument, number(0));
  return k.select(negative, k.unary(Op::neg, angle),
                  k.select(k.compare(Op::eq, argument, number(0)), argument, angle));
}

const Registration atan({
    .name = "atan",
    .doc = "The angle in (-π/2, π/2) whose tangent is a, element by element.",
    .infer = infer_elementwise("atan", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          ir::Value* square = c.b.mul(c.operand(0), c.operand(0));
          return Gradients{c.b.div(c.gradients[0], c.b.add(square, 1.0))};
        },
    .eval = eval_unary([](double a) { return std::atan(a); }),
    .lower = [](LowerContext& c, const std::vector<Value>& v) { return arc_tangent(c, v[0]); },
    .cost = 24,
    .samples = [] { return float_samples(1, -4, 4); },
});

// The quotient of the smaller and the larger side is an angle of at most π/4; the rest are turns.
Value lower_atan2(LowerContext& c, const std::vector<Value>& v) {
  kernel::Builder& k = c.k;
  const math::Number y{&k, v[0]}, x{&k, v[1]};
  const math::Number a = abs(y), b = abs(x);
  const math::Number steep = a > b;
  const math::Number larger = select(steep, a, b), smaller = select(steep, b, a);
  const math::Number diagonal = smaller == INFINITY;
  const math::Number quotient =
      select(larger == 0.0, larger.of(0), select(diagonal, larger.of(1), smaller / larger));
  math::Number angle{&k, arc_tangent(c, quotient.v)};
  angle = select(steep, angle.of(half_pi) - (angle - rest_of_half_pi), angle);
  const math::Number left = bits_of(x) < bits_of(x).bits(0);
  angle = select(left, angle.of(2 * half_pi) - (angle - 2 * rest_of_half_pi), angle);
  return select((x != x) | (y != y), x + y, with_sign(angle, y)).v;
}

const Registration atan2({
    .name = "atan2",
    .operands = 2,
    .doc = "The angle in [-π, π] of the point (b, a), whose tangent is a/b; 0 at the origin, where "
           "it has no derivative.",
    .infer = infer_elementwise("atan2", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          ir::Value* y = c.operand(0);
          ir::Value* x = c.operand(1);
          ir::Value* square = c.b.add(c.b.mul(x, x), c.b.mul(y, y));
          ir::Value* g = c.gradients[0];
          return Gradients{times(c, g, c.b.div(x, square)),
                           c.b.neg(times(c, g, c.b.div(y, square)))};
        },
    .eval = eval_binary([](double a, double b) { return std::atan2(a, b); }),
    .lower = lower_atan2,
    .cost = 34,
    .samples =
        [] {
          std::vector<Sample> list;
          for (const double side : {-1.0, 1.0}) {
            for (Sample sample : float_samples(2)) {
              sample.ranges = {{-2, 2}, {side * 0.5, side * 2}};
              list.push_back(sample);
            }
          }
          return list;
        },
});

}  // namespace
}  // namespace nnc::ops
