#include "compiler/layers/norm.h"

#include <algorithm>

#include "compiler/layers/rows.h"

namespace nnc::layers {

using schema::Key;

ir::Value* repeat_axes(ir::Builder& b, ir::Value* reduced, const ir::Value* like,
                       const std::vector<int64_t>& axes) {
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < like->type.rank(); ++i) {
    if (std::count(axes.begin(), axes.end(), i) == 0) kept.push_back(i);
  }
  return b.broadcast(reduced, like->type.shape, kept);
}

Moments moments_over(ir::Builder& b, ir::Value* value, const std::vector<int64_t>& axes,
                     ir::Value* inverse_count) {
  Moments m;
  m.mean = b.mul(b.sum(value, axes), inverse_count);
  m.centred = b.sub(value, repeat_axes(b, m.mean, value, axes));
  m.variance = b.mul(b.sum(b.mul(m.centred, m.centred), axes), inverse_count);
  return m;
}

Moments moments_over(ir::Builder& b, ir::Value* value, const std::vector<int64_t>& axes) {
  double count = 1;
  for (const int64_t axis : axes) {
    count *= static_cast<double>(value->type.shape.at(static_cast<size_t>(axis)).size);
  }
  return moments_over(b, value, axes, b.constant(1 / count, value->type.dtype));
}

ir::Value* inverse_deviation(ir::Builder& b, ir::Value* variance, double epsilon) {
  return b.unary("rsqrt", b.add(variance, epsilon));
}

ir::Value* gamma_of(LayerContext& context, const std::vector<int64_t>& shape) {
  if (!context.args.boolean("scale")) return nullptr;
  abi::Initial ones;
  ones.a = 1;
  return context.weight({.name = "gamma", .shape = shape, .initial = ones});
}

ir::Value* beta_of(LayerContext& context, const std::vector<int64_t>& shape) {
  if (!context.args.boolean("center")) return nullptr;
  return context.weight({.name = "beta", .shape = shape});
}

ir::Value* scaled_and_shifted(LayerContext& context, ir::Value* normalised,
                              const std::vector<int64_t>& shape) {
  ir::Builder& b = context.b;
  if (ir::Value* gamma = gamma_of(context, shape)) {
    normalised = row_binary(b, "mul", normalised, gamma);
  }
  if (ir::Value* beta = beta_of(context, shape)) {
    normalised = row_binary(b, "add", normalised, beta);
  }
  return normalised;
}

Key epsilon_key(const std::string& by_default) {
  return Key("epsilon", schema::number().above(0), "added to the variance, so that none is zero")
      .by_default(by_default);
}

Key scale_key() {
  return Key("scale", schema::boolean(), "whether the result has a trained factor, gamma")
      .by_default("true");
}

Key center_key() {
  return Key("center", schema::boolean(), "whether the result has a trained summand, beta")
      .by_default("true");
}

}  // namespace nnc::layers
