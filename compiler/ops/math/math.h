// Elementary functions written as kernel arithmetic: the same code in every kernel, every printer
// and at every vector width; never a call of libm, never a branch. f32 and f64 (by the operand's
// type), scalars and vectors. They use muladd, and stay accurate where the target has no fused
// form. Within 2 ULP (exp, log, waves), 3 (log1p) or 4 (the rest) of the exact number, measured by
// the tests; special values are those of C, denormal numbers are not flushed.
#pragma once

#include "compiler/kernel/builder.h"

namespace nnc::ops::math {

using kernel::Builder;
using kernel::Value;

Value exp(Builder& k, Value x);
Value expm1(Builder& k, Value x);
Value log(Builder& k, Value x);
Value log1p(Builder& k, Value x);
// Accurate for |x| up to 1e5 (f32) and 1e6 (f64, 3 ULP there); larger arguments lose digits but
// stay within [-1, 1]. NaN for infinities.
Value sin(Builder& k, Value x);
Value cos(Builder& k, Value x);
// cos(2πu) for u in [0, 1].
Value cos_turns(Builder& k, Value u);
Value tanh(Builder& k, Value x);
Value erf(Builder& k, Value x);
// 1/(1+exp(-x)), without overflow.
Value sigmoid(Builder& k, Value x);
// log(1+exp(x)) = max(x,0) + log1p(exp(-|x|)).
Value softplus(Builder& k, Value x);
// a^b with C's special values: integer exponents of negative bases, 0, infinities.
Value pow(Builder& k, Value a, Value b);
// log |Γ(x)| and the derivative of number `order` of its derivative. Computed in f64; relative to
// the larger of 1 and the number 1e-13 for f64, but for what negative x near a pole loses.
Value lgamma(Builder& k, Value x);
Value polygamma(Builder& k, Value x, int order);

}  // namespace nnc::ops::math
