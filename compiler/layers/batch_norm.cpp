// Batch normalisation: statistics of the batch while training, running ones elsewhere.
#include "compiler/layers/norm.h"
#include "compiler/layers/random.h"
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

struct Running {
  Statistic mean, variance;
};

Running running_statistics(LayerContext& context, const std::vector<int64_t>& shape) {
  abi::Initial one;
  one.a = 1;
  return {context.statistic({.name = "mean", .shape = shape}),
          context.statistic({.name = "variance", .shape = shape, .initial = one})};
}

// How many numbers a channel has in this batch, as a number of the step: rows · pixels, in f64.
ir::Value* count_of(LayerContext& context, int64_t pixels) {
  ir::Builder& b = context.b;
  ir::Value* rows = exact_scalar(b.graph(), "rows");
  return b.mul(rows, static_cast<double>(pixels));
}

// old + (1 - momentum)·(new - old). A batch of one number per channel has no variance to learn
// from: then the old values stay.
void update_running(LayerContext& context, const Running& running, const Moments& batch,
                    ir::Value* count) {
  ir::Builder& b = context.b;
  const ir::DType dtype = context.dtype;
  ir::Value* one = b.constant_like(1, count);
  ir::Value* others = b.sub(count, one);
  ir::Value* taken = b.mul(b.binary("min", others, one), 1 - context.args.number("momentum"));
  // Σ(x - mean)² / (n - 1): what the variance of all rows is estimated by (the paper's
  // algorithm 2).
  ir::Value* unbiased = b.div(count, b.binary("max", others, one));
  const auto move = [&](const Statistic& statistic, ir::Value* found) {
    ir::Value* step = b.mul(b.sub(found, statistic.value), b.cast(taken, dtype));
    statistic.update(b.add(statistic.value, step));
  };
  move(running.mean, batch.mean);
  move(running.variance, b.mul(batch.variance, b.cast(unbiased, dtype)));
}

void check_batch(const LayerContext& context, int64_t pixels) {
  if (pixels * context.b.graph().batch > 1) return;
  throw UserError(context.span,
                  context.title() +
                      " cannot learn from batches of one row: the variance of one "
                      "number is always 0",
                  "train.batch of at least 2, or layer_norm, which looks at each row alone",
                  "batch: 1, and one number per channel (" + context.inputs[0].origin + ")");
}

// x · (gamma / deviation) + (beta - mean · gamma / deviation): the two of each channel depend on
// weights only.
ir::Value* with_running(LayerContext& context, ir::Value* x, const Running& running,
                        const std::vector<int64_t>& shape) {
  ir::Builder& b = context.b;
  ir::Value* factor = inverse_deviation(b, running.variance.value, context.args.number("epsilon"));
  if (ir::Value* gamma = gamma_of(context, shape)) factor = b.mul(factor, gamma);
  ir::Value* summand = b.neg(b.mul(running.mean.value, factor));
  if (ir::Value* beta = beta_of(context, shape)) summand = b.add(beta, summand);
  return row_binary(b, "add", row_binary(b, "mul", x, factor), summand);
}

// With x̂ = (x - mean) / sqrt(variance + epsilon), over all rows and pixels of the batch:
// y = gamma · x̂ + beta.
ir::Value* with_batch(LayerContext& context, ir::Value* x, const Running& running,
                      const std::vector<int64_t>& shape) {
  ir::Builder& b = context.b;
  std::vector<int64_t> axes;
  for (int64_t i = 0; i + 1 < x->type.rank(); ++i) axes.push_back(i);
  const int64_t pixels = elements(row_shape(x)) / shape[0];
  check_batch(context, pixels);
  ir::Value* count = count_of(context, pixels);
  ir::Value* inverse = b.cast(b.div(b.constant_like(1, count), count), context.dtype);
  const Moments batch = moments_over(b, x, axes, inverse);
  update_running(context, running, batch, count);
  ir::Value* factor = inverse_deviation(b, batch.variance, context.args.number("epsilon"));
  if (ir::Value* gamma = gamma_of(context, shape)) factor = b.mul(factor, gamma);
  ir::Value* y = row_binary(b, "mul", batch.centred, factor);
  if (ir::Value* beta = beta_of(context, shape)) y = row_binary(b, "add", y, beta);
  return y;
}

ir::Value* build_batch_norm(LayerContext& context) {
  ir::Value* x = context.input();
  const std::vector<int64_t> row = row_shape(x);
  if (row.empty()) x = reshape_row(context.b, x, {1});
  const std::vector<int64_t> shape{row.empty() ? 1 : row.back()};
  const Running running = running_statistics(context, shape);
  const bool learns = context.mode == Mode::train && !context.frozen;
  ir::Value* y =
      learns ? with_batch(context, x, running, shape) : with_running(context, x, running, shape);
  return reshape_row(context.b, y, row);
}

}  // namespace

std::vector<LayerDef> batch_norm_layers() {
  return {
      {Entry{.name = "batch_norm",
             .doc = "Each channel (entry of the last axis) gets mean 0 and variance 1, then a "
                    "trained scale and shift: [..., c] -> [..., c], y = gamma · (x - mean) / "
                    "sqrt(variance + epsilon) + beta. While training, mean and variance are "
                    "those of all rows and pixels of the batch; elsewhere, and with `freeze: "
                    "true`, the running ones, which each step moves by 1 - momentum of the way to "
                    "the batch's (the variance to the unbiased one, n/(n - 1) times that of the "
                    "formula). Weights: gamma [c], beta [c]; kept, not trained: mean [c], "
                    "variance [c].",
             .source = "Ioffe, Szegedy, Batch normalization, ICML 2015",
             .example = "- batch_norm\n- relu",
             .keys = {Key("momentum", schema::number().at_least(0).below(1),
                          "how much of the running mean and variance each step keeps")
                          .by_default("0.9"),
                      epsilon_key("1e-5"), scale_key(), center_key()}},
       build_batch_norm}};
}

}  // namespace nnc::layers
