// Further layers that draw random numbers, while training or where `when` says so.
#include <cmath>

#include "compiler/layers/random.h"
#include "compiler/layers/rows.h"
#include "compiler/layers/tables.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

// One draw for each channel of a row, for all its pixels.
ir::Value* build_spatial_dropout(LayerContext& context) {
  ir::Value* x = context.input();
  const double rate = context.args.number("rate");
  if (!context.draws || rate == 0) return x;
  ir::Builder& b = context.b;
  const std::vector<int64_t> row = row_shape(x);
  const std::vector<int64_t> channels(row.empty() ? row.end() : row.end() - 1, row.end());
  ir::Value* draw = random_uniform(context, batch_shape(channels), "spatial_dropout");
  ir::Value* factor = b.select(b.compare("ge", draw, b.constant_like(rate, draw)),
                               b.constant_like(1 / (1 - rate), draw), b.constant_like(0, draw));
  std::vector<int64_t> kept{0};
  if (!row.empty()) kept.push_back(x->type.rank() - 1);
  return b.mul(x, b.broadcast(factor, x->type.shape, kept));
}

ir::Value* build_gaussian_noise(LayerContext& context) {
  ir::Value* x = context.input();
  const double deviation = context.args.number("stddev");
  if (!context.draws || deviation == 0) return x;
  ir::Builder& b = context.b;
  ir::Value* draw = random_normal(context, x->type.shape, "gaussian_noise");
  return b.add(x, b.mul(draw, deviation));
}

// A factor of mean 1 and the variance rate / (1 - rate) of inverted dropout's factor.
ir::Value* build_gaussian_dropout(LayerContext& context) {
  ir::Value* x = context.input();
  const double rate = context.args.number("rate");
  if (!context.draws || rate == 0) return x;
  ir::Builder& b = context.b;
  ir::Value* draw = random_normal(context, x->type.shape, "gaussian_dropout");
  return b.mul(x, b.add(b.mul(draw, std::sqrt(rate / (1 - rate))), 1));
}

Key rate_key(const std::string& doc) {
  return Key("rate", schema::number().at_least(0).below(1), doc).required();
}

}  // namespace

std::vector<LayerDef> noise_layers() {
  return {
      {Entry{.name = "spatial_dropout",
             .doc = "Dropout of whole channels: while training each channel (entry of the last "
                    "axis) of a row is set to 0 at all its pixels with probability `rate` and "
                    "otherwise divided by 1 - rate; elsewhere the input passes unchanged. "
                    "Neighbouring pixels say much the same, so that dropping single ones would "
                    "hide little.",
             .source = "Tompson et al., Efficient object localization, CVPR 2015",
             .example = "- spatial_dropout: 0.1",
             .principal = "rate",
             .keys = {rate_key("share of channels that is dropped")},
             .random = true},
       build_spatial_dropout},
      {Entry{.name = "gaussian_noise",
             .doc = "While training a normal random number of mean 0 is added to each element; "
                    "elsewhere the input passes unchanged. The draws depend on the seed, the "
                    "layer's name, the step and the element. A network that is to remove noise "
                    "is judged with it as well: `when: [train, eval]`.",
             .source = "Goodfellow, Bengio, Courville, Deep Learning, 7.5",
             .example = "- gaussian_noise: 0.1",
             .principal = "stddev",
             .keys = {Key("stddev", schema::number().at_least(0), "standard deviation of the noise")
                          .required()},
             .random = true},
       build_gaussian_noise},
      {Entry{.name = "gaussian_dropout",
             .doc = "While training each element is multiplied by a normal random number of mean "
                    "1 and variance rate / (1 - rate), the same as dropout's factor has; "
                    "elsewhere the input passes unchanged.",
             .source = "Srivastava et al., Dropout, JMLR 2014, section 10",
             .example = "- gaussian_dropout: 0.2",
             .principal = "rate",
             .keys = {rate_key("of the dropout that it resembles")},
             .random = true},
       build_gaussian_dropout},
  };
}

}  // namespace nnc::layers
