// Accuracy of the elementary functions in native code, with and without fused multiply-add: all of
// f32 in strides, f64 over each function's range. The reference is the C library in a wider type.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "compiler/jit/jit.h"
#include "compiler/kernel/builder.h"
#include "compiler/ops/math/math.h"

namespace nnc::testing {
namespace {

using kernel::Isa;
using kernel::Scalar;
using kernel::Value;
using Real = long double;

struct Function {
  std::string name;
  Value (*code)(kernel::Builder&, Value);
  Real (*exact)(Real);
  double ulp_f32, ulp_f64;
  double low, high;  // of the f64 arguments
};

Real sigmoid(Real x) { return 1 / (1 + std::exp(-x)); }
Real softplus(Real x) { return x > 50 ? x : std::log1p(std::exp(x)); }
// By quarters, so that the zeros are exact.
Real cos_turns(Real u) {
  const Real q = std::nearbyint(u * 4), r = (u * 4 - q) * 1.57079632679489661923132169163975144L;
  const int quarter = static_cast<int>(q) % 4;
  const Real value = quarter % 2 == 0 ? std::cos(r) : std::sin(r);
  return quarter == 1 || quarter == 2 ? -value : value;
}

const std::vector<Function>& functions() {
  static const std::vector<Function> list = {
      {"exp", ops::math::exp, std::exp, 2, 2, -746, 710},
      {"expm1", ops::math::expm1, std::expm1, 4, 4, -50, 710},
      {"log", ops::math::log, std::log, 2, 2, 0, 1e300},
      {"log near 1", ops::math::log, std::log, 2, 2, 0.1, 3},
      {"log1p", ops::math::log1p, std::log1p, 3, 3, -1, 5},
      {"tanh", ops::math::tanh, std::tanh, 4, 4, -25, 25},
      {"tanh near 0", ops::math::tanh, std::tanh, 4, 4, -0.5, 0.5},
      {"erf", ops::math::erf, std::erf, 4, 4, -7, 7},
      {"erf near 0", ops::math::erf, std::erf, 4, 4, -1.1, 1.1},
      {"sigmoid", ops::math::sigmoid, sigmoid, 4, 4, -745, 50},
      {"softplus", ops::math::softplus, softplus, 4, 4, -700, 50},
      {"sin", ops::math::sin, std::sin, 2, 3, -1e6, 1e6},
      {"sin near 0", ops::math::sin, std::sin, 2, 2, -4, 4},
      {"cos", ops::math::cos, std::cos, 2, 3, -1e6, 1e6},
      {"cos near 0", ops::math::cos, std::cos, 2, 2, -4, 4},
  };
  return list;
}

constexpr int kLanes = 16;

// void entry(const T* a, const T* b, T* result, i64 n): n is a multiple of 16.
std::unique_ptr<jit::Executable> compile(
    Scalar scalar, Isa isa, const std::function<Value(kernel::Builder&, Value, Value)>& code) {
  kernel::Module module;
  module.name = "math";
  module.functions.push_back(std::make_unique<kernel::Function>());
  kernel::Function& function = *module.functions[0];
  function.name = "entry";
  function.exported = true;
  kernel::Builder k(function);
  const Value a = k.param("a", {Scalar::ptr, 1}), b = k.param("b", {Scalar::ptr, 1});
  const Value result = k.param("result", {Scalar::ptr, 1}), n = k.param("n", {Scalar::i64, 1});
  const kernel::Type type{scalar, kLanes};
  k.loop(k.i64(0), n, k.i64(kLanes),
         [&](Value i) { k.store(code(k, k.load(type, a, i), k.load(type, b, i)), result, i); });
  kernel::verify(module);
  jit::Options options;
  options.target = kernel::target_for(isa);
  return jit::compile(module, options);
}

template <typename T>
std::vector<T> run(const jit::Executable& code, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> result(a.size());
  const auto entry =
      reinterpret_cast<void (*)(const T*, const T*, T*, int64_t)>(code.lookup("entry"));
  entry(a.data(), b.data(), result.data(), static_cast<int64_t>(a.size()));
  return result;
}

// The distance to the exact number in units of the last place of T there.
template <typename T>
double error_in_ulp(T got, Real exact) {
  const T nearest = static_cast<T>(exact);
  if (std::isnan(nearest) || std::isnan(got))
    return std::isnan(nearest) == std::isnan(got) ? 0 : 1e9;
  if (std::isinf(nearest) || std::isinf(got)) return nearest == got ? 0 : 1e9;
  const T magnitude = std::max(std::fabs(nearest), std::numeric_limits<T>::min());
  const T unit = std::ldexp(std::numeric_limits<T>::epsilon(), std::ilogb(magnitude));
  return static_cast<double>(std::fabs(static_cast<Real>(got) - exact) / static_cast<Real>(unit));
}

template <typename T>
void check(const Function& f, Isa isa, const std::vector<T>& arguments, double limit) {
  const Scalar scalar = sizeof(T) == 4 ? Scalar::f32 : Scalar::f64;
  const auto code =
      compile(scalar, isa, [&](kernel::Builder& k, Value x, Value) { return f.code(k, x); });
  const std::vector<T> got = run(*code, arguments, arguments);
  double worst = 0;
  T where = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double error = error_in_ulp(got[i], f.exact(static_cast<Real>(arguments[i])));
    if (error > worst) {
      worst = error;
      where = arguments[i];
    }
  }
  CHECK_MESSAGE(worst <= limit, f.name << " on " << std::string(kernel::name_of(isa)) << " is "
                                       << worst << " ULP wrong at " << static_cast<double>(where));
}

std::vector<Isa> levels() {
  std::vector<Isa> list;
  for (Isa isa : {Isa::sse2, Isa::avx512, Isa::neon}) {
    if (kernel::host_supports(isa)) list.push_back(isa);
  }
  return list;
}

// Every 8191st bit pattern: both signs, all exponents, denormals, infinities' neighbours, NaN.
std::vector<float> strided_floats() {
  std::vector<float> list = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1.0f, -1.0f, 0x1p-149f};
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 8191) {
    list.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  list.resize(list.size() / kLanes * kLanes);
  return list;
}

std::vector<double> random_doubles(double low, double high) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> draw(low, high);
  std::vector<double> list = {0.0, -0.0, INFINITY, -INFINITY, NAN, 1.0, -1.0, 0x1p-1074, 0x1p-1030};
  while (list.size() < 40000) list.push_back(draw(random));
  return list;
}

}  // namespace

TEST_CASE("f32 functions are accurate over all numbers") {
  const std::vector<float> arguments = strided_floats();
  for (Isa isa : levels()) {
    for (const Function& f : functions()) {
      std::vector<float> list = arguments;
      // Beyond 1e5 the argument reduction of waves is allowed to lose digits.
      const bool wave = f.name.find("sin") == 0 || f.name.find("cos") == 0;
      if (wave) {
        for (float& x : list) x = std::fabs(x) > 1e5f && !std::isinf(x) ? 1.0f : x;
      }
      if (f.name.find("near") == std::string::npos) check(f, isa, list, f.ulp_f32);
    }
  }
}

TEST_CASE("f64 functions are accurate over their ranges") {
  for (Isa isa : levels()) {
    for (const Function& f : functions()) {
      check(f, isa, random_doubles(f.low, f.high), f.ulp_f64);
    }
  }
}

TEST_CASE("the cosine of a fraction of a turn is accurate up to its zeros") {
  const Function f{"cos_turns", ops::math::cos_turns, cos_turns, 2, 2, 0, 1};
  std::vector<float> turns;
  for (int i = 0; i < 1 << 16; ++i) turns.push_back(static_cast<float>(i) * 0x1p-16f);
  for (Isa isa : levels()) {
    check(f, isa, turns, 2);
    std::vector<double> doubles(turns.begin(), turns.end());
    check(f, isa, doubles, 2);
  }
}

TEST_CASE("functions keep the sign of zero and huge angles stay on the curve") {
  const std::vector<float> zeros(kLanes, -0.0f), huge(kLanes, 3e37f);
  for (Isa isa : levels()) {
    for (const Function& f : functions()) {
      const auto code = compile(Scalar::f32, isa,
                                [&](kernel::Builder& k, Value x, Value) { return f.code(k, x); });
      CAPTURE(f.name);
      if (f.exact(0) == 0) CHECK(std::signbit(run(*code, zeros, zeros)[0]));
      if (f.name == "sin" || f.name == "cos") CHECK(std::fabs(run(*code, huge, huge)[0]) <= 1);
    }
  }
}

TEST_CASE("pow has the values of the C library") {
  std::vector<double> bases, exponents;
  const double special[] = {0.0, -0.0,      1.0,   -1.0,   2.0,       -2.0, 0.5,      -0.5,
                            3.0, -3.0,      2.5,   1e9,    -1e9,      1e-9, INFINITY, -INFINITY,
                            NAN, 0x1p-1040, 1e300, -1e300, 1.0000001, 7.0};
  for (double a : special) {
    for (double b : special) {
      bases.push_back(a);
      exponents.push_back(b);
    }
  }
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> exponent(-30, 30), logarithm(-20, 20);
  while (bases.size() < 40000 || bases.size() % kLanes != 0) {
    bases.push_back(std::exp(logarithm(random)));
    exponents.push_back(exponent(random));
  }
  for (Isa isa : levels()) {
    const auto code = compile(Scalar::f64, isa, ops::math::pow);
    const std::vector<double> got = run(*code, bases, exponents);
    for (size_t i = 0; i < got.size(); ++i) {
      const double error = error_in_ulp(
          got[i], std::pow(static_cast<Real>(bases[i]), static_cast<Real>(exponents[i])));
      if (error > 4)
        FAIL_CHECK(bases[i] << " ^ " << exponents[i] << " is " << got[i] << ", wrong by " << error);
    }
    const auto single = compile(Scalar::f32, isa, ops::math::pow);
    const std::vector<float> a(bases.begin(), bases.end()), b(exponents.begin(), exponents.end());
    const std::vector<float> few = run(*single, a, b);
    for (size_t i = 0; i < few.size(); ++i) {
      const double error =
          error_in_ulp(few[i], std::pow(static_cast<Real>(a[i]), static_cast<Real>(b[i])));
      if (error > 0.6)
        FAIL_CHECK(a[i] << " ^ " << b[i] << " is " << few[i] << ", wrong by " << error);
    }
  }
}

namespace {

// n! Σ 1/(x+k)^(n+1) up to 80, then the asymptotic series; for x > 0.
Real polygamma(Real x, int order) {
  const Real factorial = std::tgamma(static_cast<Real>(order) + 1);
  Real sum = 0;
  for (; x < 80; x += 1) sum += factorial / std::pow(x, static_cast<Real>(order + 1));
  Real tail =
      order == 0 ? -std::log(x) : std::tgamma(static_cast<Real>(order)) * std::pow(x, -order);
  tail += factorial / (2 * std::pow(x, static_cast<Real>(order + 1)));
  const Real bernoulli[] = {1.0L / 6, -1.0L / 30, 1.0L / 42, -1.0L / 30, 5.0L / 66};
  for (int k = 1; k <= 5; ++k) {
    tail += bernoulli[k - 1] * std::tgamma(static_cast<Real>(2 * k + order)) /
            std::tgamma(static_cast<Real>(2 * k + 1)) *
            std::pow(x, -static_cast<Real>(2 * k + order));
  }
  return (order % 2 == 0 ? -1 : 1) * (sum + tail);
}

// The largest error relative to the exact number, or to `least` where that is larger.
template <typename T>
double worst_error(const jit::Executable& code, const std::vector<T>& arguments, double least,
                   const std::function<Real(Real)>& exact) {
  double worst = 0;
  const std::vector<T> got = run(code, arguments, arguments);
  for (size_t i = 0; i < got.size(); ++i) {
    const Real right = exact(static_cast<Real>(arguments[i]));
    const Real scale = std::max(std::fabs(right), static_cast<Real>(least));
    worst = std::max(worst, static_cast<double>(std::fabs(got[i] - right) / scale));
  }
  return worst;
}

template <typename T>
std::vector<T> spread_over(double low, double high) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> draw(std::log(low), std::log(high));
  std::vector<T> list;
  while (list.size() < 16000) list.push_back(static_cast<T>(std::exp(draw(random))));
  return list;
}

}  // namespace

TEST_CASE("the gamma function's logarithm is accurate, at its zeros as well") {
  const auto exact = [](Real x) { return std::lgamma(x); };
  const auto code = [](kernel::Builder& k, Value x, Value) { return ops::math::lgamma(k, x); };
  for (Isa isa : levels()) {
    const auto wide = compile(Scalar::f64, isa, code), narrow = compile(Scalar::f32, isa, code);
    CHECK(worst_error(*wide, spread_over<double>(1e-300, 1e300), 0, exact) < 1e-14);
    CHECK(worst_error(*wide, spread_over<double>(0.9, 2.1), 0, exact) < 1e-13);
    CHECK(worst_error(*narrow, spread_over<float>(1e-30, 1e30), 0, exact) < 1e-7);
    std::vector<double> negative = spread_over<double>(0.01, 50);
    for (double& x : negative) x = -x;
    CHECK(worst_error(*wide, negative, 1, exact) < 1e-12);
    const std::vector<double> special{0, -0.0, -1, -2, INFINITY, -INFINITY, 1, 2,
                                      0, 0,    0,  0,  0,        0,         0, NAN};
    const std::vector<double> got = run(*wide, special, special);
    for (int i = 0; i < 6; ++i) CHECK(got[static_cast<size_t>(i)] == INFINITY);
    CHECK(got[6] == 0);
    CHECK(got[7] == 0);
    CHECK(std::isnan(got[15]));
  }
}

TEST_CASE("the derivatives of the gamma function's logarithm are accurate") {
  for (Isa isa : levels()) {
    for (const int order : {0, 1, 2, 3, 7, 12, 20}) {
      CAPTURE(order);
      const auto code = [order](kernel::Builder& k, Value x, Value) {
        return ops::math::polygamma(k, x, order);
      };
      const auto exact = [order](Real x) { return polygamma(x, order); };
      const auto wide = compile(Scalar::f64, isa, code), narrow = compile(Scalar::f32, isa, code);
      // Digamma has a zero near 1.46.
      const double least = order == 0 ? 0.1 : 0;
      CHECK(worst_error(*wide, spread_over<double>(1e-3, 1e3), least, exact) < 1e-13);
      CHECK(worst_error(*narrow, spread_over<float>(1, 1e2), least, exact) < 2e-7);
    }
    // ψ(x) = ψ(x + 1) - 1/x, and ψ'(x) = ψ'(x + 1) + 1/x².
    std::vector<double> negative = spread_over<double>(0.01, 0.99);
    for (double& x : negative) x = -x;
    for (const int order : {0, 1}) {
      const auto code = compile(Scalar::f64, isa, [order](kernel::Builder& k, Value x, Value) {
        return ops::math::polygamma(k, x, order);
      });
      CHECK(worst_error(*code, negative, 1, [order](Real x) {
              return order == 0 ? polygamma(x + 1, 0) - 1 / x : polygamma(x + 1, 1) + 1 / (x * x);
            }) < 1e-12);
    }
  }
}

}  // namespace nnc::testing
