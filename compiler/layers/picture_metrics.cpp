// Metrics of reconstructed pictures.
#include <cmath>

#include "compiler/layers/metrics.h"
#include "compiler/layers/rows.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

// What was reconstructed, as numbers: logits become probabilities.
Numbers reconstruction(const CompareContext& context) {
  Numbers n = numbers(context);
  if (context.pair.form == Form::logits) n.prediction = context.b.unary("sigmoid", n.prediction);
  return n;
}

// 10 log10(range² / mean (p - t)²) of each row. The error of an exact copy counts as 1e-10 range².
MetricResult psnr(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Numbers n = reconstruction(context);
  const double range = context.args.number("data_range");
  ir::Value* difference = b.mul(b.sub(n.prediction, n.target), 1 / range);
  ir::Value* error = one_statistic(context, b.mul(difference, difference));
  error = b.binary("max", error, b.constant_like(1e-10, error));
  return {b.mul(b.unary("log", error), -10 / std::log(10.0))};
}

// [height, width, channels] of a row.
std::vector<int64_t> picture_shape(const CompareContext& context, const ir::Value* value) {
  const std::vector<int64_t> row = row_shape(value);
  std::vector<int64_t> shape = row;
  if (context.args.has("shape")) {
    shape = context.args.integers("shape");
    if (elements(shape) != elements(row)) {
      throw UserError(
          context.args.span("shape"), "ssim: the rows do not have this shape",
          "a shape of " + std::to_string(elements(row)) + " numbers, as " + shape_text(row),
          shape_text(shape));
    }
  }
  if (shape.size() == 2) shape.push_back(1);
  if (shape.size() != 3) {
    throw UserError(context.span, "ssim compares pictures",
                    "rows of shape [height, width] or [height, width, channels]; "
                    "`shape: [28, 28]` says how flat ones are meant",
                    shape_text(row));
  }
  const int64_t window = context.args.integer("window");
  if (shape[0] < window || shape[1] < window) {
    const int64_t smallest = std::min(shape[0], shape[1]);
    const std::string fits = std::to_string(smallest - (smallest % 2 == 0 ? 1 : 0));
    throw UserError(
        context.args.span("window"), "ssim: the picture is smaller than the window",
        smallest >= 3 ? "window: " + fits + ", or less" : "pictures of at least 3 rows and columns",
        "a window of " + std::to_string(window) + " for " + shape_text(shape));
  }
  return shape;
}

// The Gaussian window (standard deviation 1.5) as a matrix [extent - window + 1, extent]: row i
// holds its weights from column i on.
ir::Value* window_matrix(const CompareContext& context, int64_t extent, int64_t window) {
  ir::Builder& b = context.b;
  const double sigma = 1.5;
  const auto radius = static_cast<double>(window / 2);
  double sum = 0;
  for (double d = -radius; d <= radius; ++d) sum += std::exp(-d * d / (2 * sigma * sigma));
  const ir::Shape shape = ir::fixed_shape({extent - window + 1, extent});
  ir::Value* distance =
      b.add(b.sub(b.iota(shape, 1, context.dtype), b.iota(shape, 0, context.dtype)), -radius);
  ir::Value* weight = b.unary("exp", b.mul(b.mul(distance, distance), -1 / (2 * sigma * sigma)));
  ir::Value* inside = b.compare("le", b.unary("abs", distance), b.constant_like(radius, distance));
  return b.select(inside, b.mul(weight, 1 / sum), b.constant_like(0, weight));
}

// Windowed means of x, y, x², y² and xy, each [b, channels, rows, columns], over all places where
// the window lies inside the picture.
std::vector<ir::Value*> moments(const CompareContext& context, const Numbers& n,
                                const std::vector<int64_t>& shape) {
  ir::Builder& b = context.b;
  const int64_t window = context.args.integer("window");
  const double scale = 1 / context.args.number("data_range");
  ir::Value* x = b.mul(reshape_row(b, n.prediction, shape), scale);
  ir::Value* y = b.mul(reshape_row(b, n.target, shape), scale);
  ir::Value* all = b.concat({x, y, b.mul(x, x), b.mul(y, y), b.mul(x, y)}, 3);
  all = b.contract(all, window_matrix(context, shape[0], window), {1}, {1});  // [b, W, 5C, H']
  all = b.contract(all, window_matrix(context, shape[1], window), {1}, {1});  // [b, 5C, H', W']
  std::vector<ir::Value*> parts;
  for (int64_t i = 0; i < 5; ++i) {
    ir::Shape sizes = all->type.shape;
    sizes[1].size = shape[2];
    parts.push_back(b.slice(all, {0, i * shape[2], 0, 0}, sizes));
  }
  return parts;
}

MetricResult ssim(const CompareContext& context) {
  ir::Builder& b = context.b;
  if (context.args.integer("window") % 2 == 0) {
    throw UserError(context.args.span("window"), "ssim: the window has a middle", "an odd number",
                    std::to_string(context.args.integer("window")));
  }
  const Numbers n = reconstruction(context);
  const std::vector<ir::Value*> m = moments(context, n, picture_shape(context, n.prediction));
  ir::Value* square_x = b.mul(m[0], m[0]);
  ir::Value* square_y = b.mul(m[1], m[1]);
  ir::Value* product = b.mul(m[0], m[1]);
  ir::Value* variances = b.add(b.sub(m[2], square_x), b.sub(m[3], square_y));
  ir::Value* covariance = b.sub(m[4], product);
  const double c1 = 0.01 * 0.01;  // numbers are in units of the data range
  const double c2 = 0.03 * 0.03;
  ir::Value* above = b.mul(b.add(b.mul(product, 2), c1), b.add(b.mul(covariance, 2), c2));
  ir::Value* below = b.mul(b.add(b.add(square_x, square_y), c1), b.add(variances, c2));
  return {one_statistic(context, b.div(above, below))};
}

std::vector<Key> picture_keys() {
  std::vector<Key> keys = pair_keys(all_forms(), false);
  keys.push_back(Key("data_range", schema::number().above(0),
                     "the largest value that a picture can have, less the smallest")
                     .by_default("1"));
  return keys;
}

}  // namespace

std::vector<MetricDef> picture_metrics() {
  std::vector<Key> ssim_keys = picture_keys();
  ssim_keys.push_back(Key("window", schema::integer().at_least(3).at_most(255),
                          "how many pixels the window is high and wide, an odd number")
                          .by_default("11"));
  ssim_keys.push_back(Key("shape", schema::list_of(schema::integer().at_least(1)).sized(2, 3),
                          "[height, width] or [height, width, channels] of flat rows"));
  return {
      {.entry = Entry{.name = "psnr",
                      .doc = "Peak signal-to-noise ratio in dB: the mean over rows of "
                             "10 log10(data_range² / mean squared error), at most 100 for a row.",
                      .example = "metrics: [{psnr: {prediction: y_hat, target: y}}]",
                      .keys = picture_keys()},
       .build = psnr,
       .more_is_better = true},
      {.entry = Entry{.name = "ssim",
                      .doc = "Structural similarity, 1 for equal pictures: the mean over rows, "
                             "channels and all places of a Gaussian window (11 x 11, standard "
                             "deviation 1.5) inside the picture; K1 = 0.01, K2 = 0.03.",
                      .source = "Wang, Bovik, Sheikh, Simoncelli: Image quality assessment, IEEE "
                                "Transactions on Image Processing 13, 2004",
                      .example = "metrics: [{ssim: {prediction: y_hat, target: y, window: 7}}]",
                      .keys = std::move(ssim_keys)},
       .build = ssim,
       .more_is_better = true},
  };
}

}  // namespace nnc::layers
