// Formulas over kernel values with ordinary operators, so that the functions of this folder read
// like their sources. Nothing is folded or reordered: each operator is one kernel instruction.
#pragma once

#include <vector>

#include "compiler/kernel/builder.h"

namespace nnc::ops::math {

using kernel::Builder;
using kernel::Op;
using kernel::Scalar;
using kernel::Value;

struct Number {
  Builder* k = nullptr;
  Value v;

  Number of(double x) const { return {k, k->constant(v.type, x)}; }
  Number bits(int64_t x) const { return {k, k->constant_int(v.type, x)}; }  // of an integer type
  bool single() const { return v.type.scalar == Scalar::f32; }
};

inline Number binary(Op op, const Number& a, const Number& b) {
  return {a.k, a.k->binary(op, a.v, b.v)};
}
inline Number operator+(const Number& a, const Number& b) { return binary(Op::add, a, b); }
inline Number operator-(const Number& a, const Number& b) { return binary(Op::sub, a, b); }
inline Number operator*(const Number& a, const Number& b) { return binary(Op::mul, a, b); }
inline Number operator/(const Number& a, const Number& b) { return binary(Op::div, a, b); }
inline Number operator+(const Number& a, double b) { return a + a.of(b); }
inline Number operator-(const Number& a, double b) { return a - a.of(b); }
inline Number operator*(const Number& a, double b) { return a * a.of(b); }
inline Number operator-(const Number& a) { return {a.k, a.k->unary(Op::neg, a.v)}; }
inline Number operator<(const Number& a, const Number& b) { return binary(Op::lt, a, b); }
inline Number operator<(const Number& a, double b) { return a < a.of(b); }
inline Number operator>(const Number& a, const Number& b) { return binary(Op::gt, a, b); }
inline Number operator>(const Number& a, double b) { return a > a.of(b); }
inline Number operator>=(const Number& a, double b) { return binary(Op::ge, a, a.of(b)); }
inline Number operator==(const Number& a, const Number& b) { return binary(Op::eq, a, b); }
inline Number operator==(const Number& a, double b) { return a == a.of(b); }
inline Number operator!=(const Number& a, const Number& b) { return binary(Op::ne, a, b); }
inline Number operator&(const Number& a, const Number& b) { return binary(Op::bit_and, a, b); }
inline Number operator|(const Number& a, const Number& b) { return binary(Op::bit_or, a, b); }
inline Number operator^(const Number& a, const Number& b) { return binary(Op::bit_xor, a, b); }

inline Number abs(const Number& a) { return {a.k, a.k->unary(Op::abs, a.v)}; }
inline Number floor(const Number& a) { return {a.k, a.k->unary(Op::floor, a.v)}; }
inline Number nearest(const Number& a) { return {a.k, a.k->unary(Op::round_even, a.v)}; }
// A NaN in `a` is kept.
inline Number min(const Number& a, double b) { return binary(Op::min, a, a.of(b)); }
inline Number max(const Number& a, double b) { return binary(Op::max, a, a.of(b)); }
inline Number muladd(const Number& a, const Number& b, const Number& c) {
  return {a.k, a.k->muladd(a.v, b.v, c.v)};
}
inline Number muladd(const Number& a, double b, const Number& c) { return muladd(a, a.of(b), c); }
inline Number select(const Number& condition, const Number& a, const Number& b) {
  return {a.k, a.k->select(condition.v, a.v, b.v)};
}
inline Number convert(const Number& a, Scalar to) { return {a.k, a.k->convert(a.v, to)}; }

// The integer with the same bits and as many, and back.
Number bits_of(const Number& a);
Number from_bits(const Number& bits);
// |a| with the sign of b.
Number with_sign(const Number& a, const Number& b);
// c0·x^n + c1·x^(n-1) + … by Horner's rule.
Number polynomial(const Number& x, const std::vector<double>& highest_first);

// Shared parts, for both types.

// The number `a` is n·log(2) + rest with |rest| <= log(2)/2: see exp.cpp.
struct Reduced {
  Number n, rest;
};
Reduced reduce_by_log2(const Number& a);
// exp(r) - 1 for |r| <= log(2)/2.
Number small_expm1(const Number& r);
// a·2^n for integral n of any size that matters, denormal results included.
Number scale(const Number& a, const Number& n);
Number exp(const Number& a);
Number expm1(const Number& a);
// Half of it but for the sign of zero; |a| <= 89 (f32) or 710 (f64), or NaN. Doubling it is what
// may overflow.
Number half_expm1(const Number& a);
// a = m·2^e with m in [sqrt(1/2), sqrt(2)), for positive finite a, denormals included.
struct Split {
  Number m, e;
};
Split split(const Number& a);
Number log(const Number& a);
Number log1p(const Number& a);
Number pow(const Number& a, const Number& b);  // f64

}  // namespace nnc::ops::math
