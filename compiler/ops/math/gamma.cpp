// log |Γ(x)| and its derivatives of any order, in f64 whatever the type. Positive arguments are
// brought to where a short series holds by Γ(x + 1) = x·Γ(x), negative ones are reflected by
// Γ(x)·Γ(1 - x) = π / sin(πx).
#include <cmath>
#include <limits>
#include <numbers>

#include "compiler/ops/math/math.h"
#include "compiler/ops/math/number.h"

namespace nnc::ops::math {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double pi = std::numbers::pi;

// Bernoulli's numbers B2, B4 …
constexpr double bernoulli[] = {1.0 / 6,       -1.0 / 30,      1.0 / 42, -1.0 / 30,
                                5.0 / 66,      -691.0 / 2730,  7.0 / 6,  -3617.0 / 510,
                                43867.0 / 798, -174611.0 / 330};
constexpr int terms = 10;

// sin(πx) and cos(πx) without the error of π·x for large x.
struct Wave {
  Number sin, cos;
};
Wave half_turns(const Number& x) {
  const Number whole = nearest(x);
  const Number angle = (x - whole) * pi;
  const Number half = whole * 0.5;
  const Number odd = nearest(half) != half;
  const Number sine = Number{x.k, math::sin(*x.k, angle.v)};
  const Number cosine = Number{x.k, math::cos(*x.k, angle.v)};
  return {select(odd, -sine, sine), select(odd, -cosine, cosine)};
}

// Stirling's series for x >= 7: (x - 1/2)·log x - x + log(2π)/2 + Σ B2k / (2k(2k-1)·x^(2k-1)).
Number stirling(const Number& x, const Number& logarithm) {
  std::vector<double> coefficients;
  for (int i = terms; i >= 1; --i) {
    coefficients.push_back(bernoulli[i - 1] / (2.0 * i * (2.0 * i - 1)));
  }
  const Number inverse = x.of(1) / x;
  const Number series = inverse * polynomial(inverse * inverse, coefficients);
  const Number constant = x.of(0.91893853320467274178) + series;  // log(2π)/2
  return muladd(x - 0.5, logarithm - 1.0, constant - 0.5);
}

// log Γ(2 + z) for |z| <= 1/2: z·(1 - γ + Σ (ζ(k) - 1)·(-z)^(k-1)/k), exact at its zero.
Number near_two(const Number& z) {
  return z * polynomial(z, {-2.75952288512423335590e-10, 5.73136724167886225144e-10,
                            -1.19214014058609115474e-09, 2.48367454380247847524e-09,
                            -5.18347504197004664423e-09, 1.08386592148969545929e-08,
                            -2.27110946089431635043e-08, 4.76981016936398039829e-08,
                            -1.00432248239680990840e-07, 2.12071848055546646449e-07,
                            -4.49246919876456618549e-07, 9.55141213040741935301e-07,
                            -2.03921575380136618969e-06, 4.37486678990748817440e-06,
                            -9.43948827526839671519e-06, 2.05072127756706910667e-05,
                            -4.49262367381331420460e-05, 9.94575127818085309803e-05,
                            -2.23154758453579385793e-04, 5.09669524743042450139e-04,
                            -1.19275391170326101886e-03, 2.89051033074152335933e-03,
                            -7.38555102867398567679e-03, 2.05808084277845464161e-02,
                            -6.73523010531981020099e-02, 3.22467033424113203033e-01,
                            4.22784335098467134451e-01});
}

// For x > 0: to [1.5, 2.5) by products, down from 7 and up from 0.
Number positive_lgamma(const Number& x) {
  Number u = x, product = x.of(1);
  for (int i = 0; i < 5; ++i) {
    const Number above = u >= 2.5;
    u = select(above, u - 1.0, u);
    product = select(above, product * u, product);
  }
  // Below 1.5 nothing is added to x that could round it.
  const Number down = x < 1.5, tiny = x < 0.5;
  const Number below = select(tiny, x * (x + 1.0), x);
  const Number z = select(tiny, x, select(down, x - 1.0, u - 2.0));
  const Number large = x >= 7.0;
  const Number logarithm = log(select(large, x, select(down, below, product)));
  const Number near = near_two(z) + select(down, -logarithm, logarithm);
  return select(large, stirling(x, logarithm), near);
}

Number lgamma(const Number& x) {
  const Number negative = x < 0.0;
  const Number forward = positive_lgamma(select(negative, x.of(1) - x, x));
  const Number sine = abs(half_turns(x).sin);
  const Number reflected = x.of(1.14472988584940017414) - log(sine) - forward;  // log π
  const Number infinite = abs(x) == kInfinity;
  return select(infinite, x.of(kInfinity), select(negative, reflected, forward));
}

double factorial(int n) { return std::tgamma(n + 1.0); }

Number power(const Number& x, int n) {
  Number result = x;
  for (int i = 1; i < n; ++i) result = result * x;
  return result;
}

// (-1)^(n+1) ψ⁽ⁿ⁾(x) for x > 0 and n > 0: n! Σ 1/(x+k)^(n+1) for the first k, and from x + m on
// (n-1)!/x^n + n!/(2·x^(n+1)) + Σ B2k (2k+n-1)!/((2k)!·x^(2k+n)).
Number positive_polygamma(const Number& x, int order) {
  const int steps = 10 + order;
  Number sum = x.of(0);
  for (int i = 0; i < steps; ++i) {
    sum = sum + x.of(1) / power(x + static_cast<double>(i), order + 1);
  }
  const Number y = x + static_cast<double>(steps);
  std::vector<double> coefficients;
  for (int k = terms; k >= 1; --k) {
    coefficients.push_back(bernoulli[k - 1] * factorial(2 * k + order - 1) / factorial(2 * k));
  }
  const Number inverse = y.of(1) / y;
  const Number square = inverse * inverse;
  const Number series = muladd(square, polynomial(square, coefficients),
                               muladd(inverse, factorial(order) / 2, y.of(factorial(order - 1))));
  return muladd(sum, factorial(order), power(inverse, order) * series);
}

// log x - 1/(2x) - Σ B2k / (2k·x^(2k)), less 1/(x+k) for the steps up to where it holds.
Number positive_digamma(const Number& x) {
  Number y = x, sum = x.of(0);
  for (int i = 0; i < 10; ++i) {
    const Number small = y < 10.0;
    sum = select(small, sum + x.of(1) / y, sum);
    y = select(small, y + 1.0, y);
  }
  std::vector<double> coefficients;
  for (int k = terms; k >= 1; --k) coefficients.push_back(bernoulli[k - 1] / (2.0 * k));
  const Number inverse = y.of(1) / y;
  const Number square = inverse * inverse;
  const Number rest = muladd(square, polynomial(square, coefficients), inverse * 0.5);
  return (log(y) - rest) - sum;
}

// The n-th derivative of π·cot(πx), a polynomial in the cotangent.
Number cotangent_derivative(const Number& x, int order) {
  std::vector<double> p{0, pi};  // lowest first
  for (int i = 0; i < order; ++i) {
    std::vector<double> next(p.size() + 1, 0.0);  // d c^k/dx = -π·k·(c^(k-1) + c^(k+1))
    for (size_t k = 1; k < p.size(); ++k) {
      next[k - 1] -= pi * static_cast<double>(k) * p[k];
      next[k + 1] -= pi * static_cast<double>(k) * p[k];
    }
    p = next;
  }
  const Wave wave = half_turns(x);
  return polynomial(wave.cos / wave.sin, std::vector<double>(p.rbegin(), p.rend()));
}

Number polygamma(const Number& x, int order) {
  const Number negative = x < 0.0;
  const Number mirror = select(negative, x.of(1) - x, x);
  const double sign = order % 2 == 0 ? -1 : 1;
  const Number forward =
      order == 0 ? positive_digamma(mirror) : positive_polygamma(mirror, order) * sign;
  const Number same = order % 2 == 0 ? forward : -forward;
  return select(negative, same - cotangent_derivative(x, order), forward);
}

}  // namespace

Value lgamma(Builder& k, Value x) {
  return convert(lgamma(convert(Number{&k, x}, Scalar::f64)), x.type.scalar).v;
}

Value polygamma(Builder& k, Value x, int order) {
  return convert(polygamma(convert(Number{&k, x}, Scalar::f64), order), x.type.scalar).v;
}

}  // namespace nnc::ops::math
