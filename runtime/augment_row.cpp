#include "runtime/augment_row.h"

#include <algorithm>
#include <cmath>

namespace nnc::runtime {
namespace {

using Kind = AugmentStep::Kind;

// Uniform in [-amount, amount).
double symmetric(uint32_t word, double amount) {
  return (2 * static_cast<double>(word) * 0x1p-32 - 1) * amount;
}

// Uniform over the whole numbers 0 … count-1.
int64_t whole(uint32_t word, int64_t count) {
  return static_cast<int64_t>((uint64_t{word} * static_cast<uint64_t>(count)) >> 32);
}

// Where a pixel of the result comes from, relative to the middle of the picture: source = a · place
// + b, in (row, column).
struct Map {
  double a[2][2] = {{1, 0}, {0, 1}};
  double b[2] = {0, 0};
  bool edge = false;

  // The map that follows `first` when the result of this is looked at: this(first(place)).
  Map after(const Map& first) const {
    Map result;
    for (int i = 0; i < 2; ++i) {
      for (int j = 0; j < 2; ++j) {
        result.a[i][j] = a[i][0] * first.a[0][j] + a[i][1] * first.a[1][j];
      }
      result.b[i] = a[i][0] * first.b[0] + a[i][1] * first.b[1] + b[i];
    }
    result.edge = edge || first.edge;
    return result;
  }
};

bool is_map(Kind kind) {
  return kind == Kind::shift || kind == Kind::flip || kind == Kind::rotate || kind == Kind::zoom;
}

Map map_of(const AugmentStep& step, const Words& words) {
  Map map;
  map.edge = step.edge;
  if (step.kind == Kind::shift) {
    const auto most = static_cast<int64_t>(step.amount);
    map.b[0] = static_cast<double>(whole(words[0], 2 * most + 1) - most);
    map.b[1] = static_cast<double>(whole(words[1], 2 * most + 1) - most);
  } else if (step.kind == Kind::flip) {
    if (step.vertical && words[0] >> 31 != 0) map.a[0][0] = -1;
    if (step.horizontal && words[1] >> 31 != 0) map.a[1][1] = -1;
  } else if (step.kind == Kind::rotate) {
    const double turns = symmetric(words[0], step.amount) / 360;
    const auto [cosine, sine] = cos_sin_turns(turns - std::floor(turns));
    map.a[0][0] = map.a[1][1] = cosine;
    map.a[0][1] = sine;
    map.a[1][0] = -sine;
  } else {
    map.a[0][0] = map.a[1][1] = 1 / (1 + symmetric(words[0], step.amount));
  }
  return map;
}

// The pixel at (y, x), or null for 0.
const double* pixel(std::span<const double> row, const RowShape& shape, int64_t y, int64_t x,
                    bool edge) {
  const bool inside = y >= 0 && y < shape.height && x >= 0 && x < shape.width;
  if (!inside && !edge) return nullptr;
  y = std::clamp<int64_t>(y, 0, shape.height - 1);
  x = std::clamp<int64_t>(x, 0, shape.width - 1);
  return row.data() + (y * shape.width + x) * shape.channels;
}

// Mirrored and moved by whole pixels: to[y][x] = from[y0 ± y][x0 ± x].
void copy_pixels(std::span<const double> from, std::span<double> to, const RowShape& shape,
                 const Map& map, int64_t y0, int64_t x0) {
  double* place = to.data();
  for (int64_t y = 0; y < shape.height; ++y) {
    const int64_t source_y = map.a[0][0] > 0 ? y0 + y : y0 - y;
    for (int64_t x = 0; x < shape.width; ++x, place += shape.channels) {
      const int64_t source_x = map.a[1][1] > 0 ? x0 + x : x0 - x;
      const double* source = pixel(from, shape, source_y, source_x, map.edge);
      for (int64_t c = 0; c < shape.channels; ++c) place[c] = source == nullptr ? 0 : source[c];
    }
  }
}

// A place between pixels: the pixel above and left of it, and how far it is from that.
struct Place {
  int64_t whole;
  double part;
};

Place split(double coordinate) {
  // Truncation of a positive number, which is faster than floor.
  constexpr int64_t high = 1 << 30;
  const int64_t whole = static_cast<int64_t>(coordinate + static_cast<double>(high)) - high;
  return {whole, coordinate - static_cast<double>(whole)};
}

// The mean of the four pixels around (y, x), by their nearness.
void interpolate(std::span<const double> from, double* to, const RowShape& shape, const Place& y,
                 const Place& x, bool edge) {
  const double weights[4] = {(1 - y.part) * (1 - x.part), (1 - y.part) * x.part,
                             y.part * (1 - x.part), y.part * x.part};
  if (y.whole >= 0 && y.whole + 1 < shape.height && x.whole >= 0 && x.whole + 1 < shape.width) {
    const double* above = from.data() + (y.whole * shape.width + x.whole) * shape.channels;
    const double* below = above + shape.width * shape.channels;
    for (int64_t c = 0; c < shape.channels; ++c) {
      to[c] = weights[0] * above[c] + weights[1] * above[c + shape.channels] +
              weights[2] * below[c] + weights[3] * below[c + shape.channels];
    }
    return;
  }
  std::fill(to, to + shape.channels, 0.0);
  for (int k = 0; k < 4; ++k) {
    const double* source = pixel(from, shape, y.whole + k / 2, x.whole + k % 2, edge);
    for (int64_t c = 0; source != nullptr && c < shape.channels; ++c)
      to[c] += weights[k] * source[c];
  }
}

// to[place] = from[map(place)], bilinearly; exact where the map hits pixels.
void resample(std::span<const double> from, std::span<double> to, const RowShape& shape,
              const Map& map) {
  const double middle_y = static_cast<double>(shape.height - 1) / 2;
  const double middle_x = static_cast<double>(shape.width - 1) / 2;
  // Where the first pixel comes from.
  const double y0 = middle_y - map.a[0][0] * middle_y - map.a[0][1] * middle_x + map.b[0];
  const double x0 = middle_x - map.a[1][0] * middle_y - map.a[1][1] * middle_x + map.b[1];
  const bool straight = map.a[0][1] == 0 && map.a[1][0] == 0 && std::fabs(map.a[0][0]) == 1 &&
                        std::fabs(map.a[1][1]) == 1;
  if (straight) {  // shifts and flips: y0 and x0 are whole numbers
    copy_pixels(from, to, shape, map, static_cast<int64_t>(y0), static_cast<int64_t>(x0));
    return;
  }
  double* place = to.data();
  for (int64_t i = 0; i < shape.height; ++i) {
    const auto y = static_cast<double>(i);
    for (int64_t j = 0; j < shape.width; ++j, place += shape.channels) {
      const auto x = static_cast<double>(j);
      interpolate(from, place, shape, split(y0 + map.a[0][0] * y + map.a[0][1] * x),
                  split(x0 + map.a[1][0] * y + map.a[1][1] * x), map.edge);
    }
  }
}

void change_contrast(std::span<double> row, double factor) {
  double sum = 0;
  for (double value : row) sum += value;
  const double mean = sum / static_cast<double>(row.size());
  for (double& value : row) value = mean + (value - mean) * factor;
}

void add_noise(std::span<double> row, double deviation, const RowRandom& random, size_t step) {
  for (size_t i = 0; i < row.size(); i += 2) {
    const auto pair = random.normals(step, i / 2, row.size());
    row[i] += deviation * pair[0];
    if (i + 1 < row.size()) row[i + 1] += deviation * pair[1];
  }
}

// The middle of the square is any pixel, so that the square may stick out.
void cut_out(std::span<double> row, const RowShape& shape, int64_t size, const Words& words) {
  const int64_t top = whole(words[0], shape.height) - size / 2;
  const int64_t left = whole(words[1], shape.width) - size / 2;
  const int64_t begin = std::max<int64_t>(left, 0);
  const int64_t end = std::min(left + size, shape.width);
  for (int64_t y = std::max<int64_t>(top, 0); y < std::min(top + size, shape.height); ++y) {
    double* line = row.data() + y * shape.width * shape.channels;
    std::fill(line + begin * shape.channels, line + end * shape.channels, 0.0);
  }
}

void change(std::span<double> row, const RowShape& shape, const AugmentStep& step,
            const RowRandom& random, size_t number) {
  const Words words = random.words(number);
  switch (step.kind) {
    case Kind::brightness: {
      const double more = symmetric(words[0], step.amount) * shape.range;
      for (double& value : row) value += more;
      return;
    }
    case Kind::contrast: return change_contrast(row, 1 + symmetric(words[0], step.amount));
    case Kind::noise: return add_noise(row, step.amount * shape.range, random, number);
    case Kind::cutout: return cut_out(row, shape, static_cast<int64_t>(step.amount), words);
    default: return;  // maps
  }
}

}  // namespace

void augment_row(std::span<double> row, std::span<double> scratch, const RowShape& shape,
                 const std::vector<AugmentStep>& steps, const RowRandom& random) {
  for (size_t i = 0; i < steps.size();) {
    if (!is_map(steps[i].kind)) {
      change(row, shape, steps[i], random, i);
      ++i;
      continue;
    }
    // The last step's result is looked at first.
    Map map;
    for (; i < steps.size() && is_map(steps[i].kind); ++i) {
      map = map.after(map_of(steps[i], random.words(i)));
    }
    resample(row, scratch, shape, map);
    std::copy(scratch.begin(), scratch.end(), row.begin());
  }
}

}  // namespace nnc::runtime
