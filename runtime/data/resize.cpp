#include "runtime/data/resize.h"

#include <algorithm>
#include <cmath>

namespace nnc::runtime {
namespace {

// A part of one axis of the original.
struct Range {
  double begin, extent;
};

// The weights of the original's pixels first, first+1 … in one pixel of the result.
struct Weights {
  int64_t first = 0;
  std::vector<double> values;  // their sum is 1
};

std::vector<Weights> weights_of(Range range, int64_t original, int64_t wanted) {
  const double scale = range.extent / static_cast<double>(wanted);
  const double support = std::max(scale, 1.0);
  std::vector<Weights> result(static_cast<size_t>(wanted));
  for (int64_t i = 0; i < wanted; ++i) {
    const double center = range.begin + (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<int64_t>(0, std::llround(center - support));
    const auto end = std::min<int64_t>(original, std::llround(center + support));
    Weights& weights = result[static_cast<size_t>(i)];
    weights.first = first;
    double sum = 0;
    for (int64_t x = first; x < end; ++x) {
      const double distance = std::fabs(static_cast<double>(x) + 0.5 - center) / support;
      weights.values.push_back(std::max(0.0, 1 - distance));
      sum += weights.values.back();
    }
    for (double& value : weights.values) value /= sum;
  }
  return result;
}

// Both ranges of the original that the result shows.
std::pair<Range, Range> shown(const Picture& picture, int64_t height, int64_t width, Fit fit) {
  Range rows{0, static_cast<double>(picture.height)};
  Range columns{0, static_cast<double>(picture.width)};
  if (fit == Fit::stretch) return {rows, columns};
  const double scale = std::min(rows.extent / static_cast<double>(height),
                                columns.extent / static_cast<double>(width));
  const auto crop = [scale](Range& range, int64_t wanted) {
    const double extent = scale * static_cast<double>(wanted);
    range = {(range.extent - extent) / 2, extent};
  };
  crop(rows, height);
  crop(columns, width);
  return {rows, columns};
}

// One row of the original as numbers, [width, channels].
void row_in_channels(const Picture& picture, int64_t y, int64_t channels, std::vector<double>& to) {
  const auto width = static_cast<size_t>(picture.width);
  const uint8_t* rgb = picture.rgb.data() + 3 * static_cast<size_t>(y) * width;
  if (channels == 3) {
    to.assign(rgb, rgb + 3 * width);
    return;
  }
  to.resize(width);
  for (size_t x = 0; x < width; ++x, rgb += 3) {
    to[x] = (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]) / 1000.0;
  }
}

}  // namespace

std::vector<uint8_t> resize(const Picture& picture, int64_t height, int64_t width, int64_t channels,
                            Fit fit) {
  const auto [row_range, column_range] = shown(picture, height, width, fit);
  const std::vector<Weights> across = weights_of(column_range, picture.width, width);
  const std::vector<Weights> down = weights_of(row_range, picture.height, height);
  std::vector<double> row;
  // narrow: [original height, width, channels]
  std::vector<double> narrow(static_cast<size_t>(picture.height * width * channels));
  for (int64_t y = 0; y < picture.height; ++y) {
    row_in_channels(picture, y, channels, row);
    double* to = narrow.data() + y * width * channels;
    for (int64_t x = 0; x < width; ++x) {
      const Weights& weights = across[static_cast<size_t>(x)];
      for (size_t k = 0; k < weights.values.size(); ++k) {
        const double* pixel = row.data() + (weights.first + static_cast<int64_t>(k)) * channels;
        for (int64_t c = 0; c < channels; ++c) to[x * channels + c] += weights.values[k] * pixel[c];
      }
    }
  }
  const int64_t stride = width * channels;
  std::vector<uint8_t> result(static_cast<size_t>(height * stride));
  std::vector<double> sums(static_cast<size_t>(stride));
  for (int64_t y = 0; y < height; ++y) {
    const Weights& weights = down[static_cast<size_t>(y)];
    std::fill(sums.begin(), sums.end(), 0.0);
    for (size_t k = 0; k < weights.values.size(); ++k) {
      const double* row = narrow.data() + (weights.first + static_cast<int64_t>(k)) * stride;
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += weights.values[k] * row[i];
    }
    for (size_t i = 0; i < sums.size(); ++i) {
      const double rounded = std::floor(std::clamp(sums[i], 0.0, 255.0) + 0.5);
      result[static_cast<size_t>(y * stride) + i] = static_cast<uint8_t>(rounded);
    }
  }
  return result;
}

}  // namespace nnc::runtime
