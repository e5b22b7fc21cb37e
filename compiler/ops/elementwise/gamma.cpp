// The logarithm of the gamma function, and all its derivatives. Their kernels are in ops/math.
#include <cmath>

#include "compiler/ops/math/math.h"
#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

constexpr int64_t highest_order = 40;  // of the derivative; n! is a number up to 170

int64_t order_of(const Node& node) { return node.attributes.integer("order"); }

// Naive: n! Σ 1/(x+k)^(n+1) far out, then the first terms of the asymptotic series.
long double positive_polygamma(long double x, int64_t order) {
  const auto n = static_cast<long double>(order);
  const long double sign = order % 2 == 0 ? -1 : 1, factorial = std::tgamma(n + 1);
  long double sum = 0;
  for (; x < 60 + n; x += 1) sum += factorial / std::pow(x, n + 1);
  const long double bernoulli[] = {1.0L / 6,   -1.0L / 30, 1.0L / 42,
                                   -1.0L / 30, 5.0L / 66,  -691.0L / 2730};
  long double tail = order == 0 ? -std::log(x) : std::tgamma(n) / std::pow(x, n);
  tail += factorial / (2 * std::pow(x, n + 1));
  for (int k = 1; k <= 6; ++k) {
    tail += bernoulli[k - 1] * std::tgamma(2 * k + n) /
            (std::tgamma(2.0L * k + 1) * std::pow(x, 2 * k + n));
  }
  return sign * (sum + tail);
}

// By ψ⁽ⁿ⁾(x) = ψ⁽ⁿ⁾(x + m) - (-1)ⁿ n! Σ 1/(x+k)^(n+1), which holds for negative x as well.
double naive_polygamma(double value, int64_t order) {
  if (std::isnan(value) || value == -INFINITY) return NAN;
  if (value == INFINITY) return order == 0 ? INFINITY : 0;
  const auto n = static_cast<long double>(order);
  long double x = value, sum = 0;
  for (; x < 1; x += 1) sum += 1 / std::pow(x, n + 1);
  const long double sign = order % 2 == 0 ? -1 : 1;
  return static_cast<double>(positive_polygamma(x, order) + sign * std::tgamma(n + 1) * sum);
}

const Registration lgamma({
    .name = "lgamma",
    .doc = "log |Γ(a)|, infinite at 0, -1, -2 …; log((a - 1)!) of a whole number above 0.",
    .infer = infer_elementwise("lgamma", Accept::floats),
    .vjp =
        [](VjpContext& c) {
          ir::Value* slope = c.b.op("polygamma", {c.operand(0)}, {{"order", int64_t{0}}});
          return Gradients{times(c, c.gradients[0], slope)};
        },
    .eval = eval_unary([](double a) { return std::lgamma(a); }),
    .lower = [](LowerContext& c,
                const std::vector<kernel::Value>& v) { return math::lgamma(c.k, v[0]); },
    .cost = 110,
    .samples =
        [] {
          return joined({float_samples(1, 0.25, 9), float_samples(1, -1.75, -1.25)});
        },
});

std::vector<Type> infer_polygamma(const InferInput& input) {
  const int64_t order = input.attributes.integer("order");
  if (order < 0 || order > highest_order) {
    reject(input, "polygamma has no order " + std::to_string(order),
           "an order from 0 to " + std::to_string(highest_order));
  }
  return infer_elementwise("polygamma", Accept::floats)(input);
}

void eval_polygamma(EvalContext& c) {
  std::vector<double>& out = c.results[0].data;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = naive_polygamma(c.operands[0]->data[i], order_of(c.node));
  }
}

std::vector<Sample> samples() {
  std::vector<Sample> list;
  for (const int64_t order : {0, 1, 2, 5}) {
    // Between its poles a higher derivative is steep, and loses digits.
    const bool both = order < 2;
    for (Sample sample : joined({float_samples(1, 0.5, 9),
                                 both ? float_samples(1, -1.6, -1.4) : float_samples(1, 9, 40)})) {
      sample.attributes.set("order", order);
      list.push_back(sample);
    }
  }
  return list;
}

const Registration polygamma({
    .name = "polygamma",
    .doc = "The derivative of number {order} of digamma, which is number 0: the derivative of "
           "lgamma.",
    .infer = infer_polygamma,
    .vjp =
        [](VjpContext& c) {
          ir::Value* slope = c.b.op("polygamma", {c.operand(0)}, {{"order", order_of(c.node) + 1}});
          return Gradients{times(c, c.gradients[0], slope)};
        },
    .eval = eval_polygamma,
    .lower =
        [](LowerContext& c, const std::vector<kernel::Value>& v) {
          return math::polygamma(c.k, v[0], static_cast<int>(order_of(c.node)));
        },
    .cost = 120,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
