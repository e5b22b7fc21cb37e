// Convolution and pooling layers against the plainest loops, over random shapes.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

using List = std::vector<int64_t>;

// A plane sweep with explicit bounds: rows, columns, channels. One-dimensional cases have H = 1.
struct Geometry {
  int64_t H, W, C, F, kh, kw, sh, sw, dh, dw, groups;
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  int64_t P() const { return (H + top + bottom - dh * (kh - 1) - 1) / sh + 1; }
  int64_t Q() const { return (W + left + right - dw * (kw - 1) - 1) / sw + 1; }
};

void same(Geometry& g) {
  const auto sides = [](int64_t extent, int64_t k, int64_t s, int64_t d, int64_t& a, int64_t& b) {
    const int64_t out = (extent + s - 1) / s;
    const int64_t all = std::max<int64_t>(0, (out - 1) * s + d * (k - 1) + 1 - extent);
    a = all / 2;
    b = all - a;
  };
  sides(g.H, g.kh, g.sh, g.dh, g.top, g.bottom);
  sides(g.W, g.kw, g.sw, g.dw, g.left, g.right);
}

// y[b, p, q, f] with kernel [kh, kw, C / groups, F]
std::vector<double> convolved(const Geometry& g, const ir::Tensor& x, const ir::Tensor& w,
                              const ir::Tensor& bias) {
  std::vector<double> out;
  const int64_t each = g.C / g.groups, per_group = g.F / g.groups;
  for (int64_t b = 0; b < x.shape[0]; ++b)
    for (int64_t p = 0; p < g.P(); ++p)
      for (int64_t q = 0; q < g.Q(); ++q)
        for (int64_t f = 0; f < g.F; ++f) {
          double sum = bias.data[static_cast<size_t>(f)];
          for (int64_t i = 0; i < g.kh; ++i)
            for (int64_t j = 0; j < g.kw; ++j)
              for (int64_t c = 0; c < each; ++c) {
                const int64_t row = p * g.sh + i * g.dh - g.top, col = q * g.sw + j * g.dw - g.left;
                if (row < 0 || row >= g.H || col < 0 || col >= g.W) continue;
                const int64_t channel = f / per_group * each + c;
                sum += x.data[static_cast<size_t>(((b * g.H + row) * g.W + col) * g.C + channel)] *
                       w.data[static_cast<size_t>(((i * g.kw + j) * each + c) * g.F + f)];
              }
          out.push_back(sum);
        }
  return out;
}

std::mt19937 engine(5);
int64_t draw(int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(engine);
}

Geometry random_geometry(bool same_padding, bool explicit_padding) {
  Geometry g{};
  g.groups = draw(0, 2) == 0 ? draw(2, 3) : 1;
  g.C = g.groups * draw(1, 3);
  g.F = g.groups * draw(1, 3);
  g.kh = draw(1, 4), g.kw = draw(1, 4), g.sh = draw(1, 3), g.sw = draw(1, 3);
  g.dh = draw(1, 2), g.dw = draw(1, 3);
  if (explicit_padding)
    g.top = draw(0, 2), g.bottom = draw(0, 2), g.left = draw(0, 2), g.right = draw(0, 2);
  const int64_t least_h = same_padding ? 1 : g.dh * (g.kh - 1) + 1 - g.top - g.bottom;
  const int64_t least_w = same_padding ? 1 : g.dw * (g.kw - 1) + 1 - g.left - g.right;
  g.H = std::max<int64_t>(1, least_h) + draw(0, 4);
  g.W = std::max<int64_t>(1, least_w) + draw(0, 4);
  if (same_padding) same(g);
  return g;
}

}  // namespace

TEST_CASE("conv2d sums what its windows see, for any geometry") {
  for (int round = 0; round < 60; ++round) {
    const bool is_same = round % 3 == 1, is_explicit = round % 3 == 2;
    const Geometry g = random_geometry(is_same, is_explicit);
    const ir::Tensor x = random_tensor({2, g.H, g.W, g.C}, 1), bias = random_tensor({g.F}, 3);
    const ir::Tensor w = random_tensor({g.kh, g.kw, g.C / g.groups, g.F}, 2);
    const std::string padding =
        is_same       ? "same"
        : is_explicit ? fmt::format("[[{}, {}], [{}, {}]]", g.top, g.bottom, g.left, g.right)
                      : "valid";
    const std::string yaml = fmt::format(
        "    - conv2d: {{filters: {}, kernel: [{}, {}], stride: [{}, {}], dilation: [{}, {}], "
        "groups: {}, padding: {}}}\n      name: c\n",
        g.F, g.kh, g.kw, g.sh, g.sw, g.dh, g.dw, g.groups, padding);
    INFO(yaml << " over " << g.H << "x" << g.W << "x" << g.C);
    const ir::Tensor y = run_layers(yaml, x, {{"c.kernel", w}, {"c.bias", bias}});
    CHECK(y.shape == List{2, g.P(), g.Q(), g.F});
    check_close(y, convolved(g, x, w, bias));
  }
}

TEST_CASE("conv1d and conv3d are the same in other numbers of axes") {
  for (int round = 0; round < 12; ++round) {
    Geometry g = random_geometry(false, false);
    g.H = g.kh = g.sh = g.dh = 1;
    const ir::Tensor x = random_tensor({2, g.W, g.C}, 1), bias = random_tensor({g.F}, 3);
    const ir::Tensor w = random_tensor({g.kw, g.C / g.groups, g.F}, 2);
    const std::string arguments =
        fmt::format("filters: {}, stride: {}, dilation: {}, groups: {}", g.F, g.sw, g.dw, g.groups);
    const ir::Tensor y = run_layers(
        fmt::format("    - conv1d: {{kernel: {}, {}}}\n      name: c\n", g.kw, arguments), x,
        {{"c.kernel", w}, {"c.bias", bias}});
    CHECK(y.shape == List{2, g.Q(), g.F});
    check_close(y, convolved(g, x, w, bias));
    // The same line as a volume of one row and one column.
    ir::Tensor volume = x, kernel = w;
    volume.shape = {2, 1, g.W, 1, g.C};
    kernel.shape = {1, g.kw, 1, g.C / g.groups, g.F};
    const ir::Tensor z = run_layers(
        fmt::format("    - conv3d: {{kernel: [1, {}, 1], {}}}\n      name: c\n", g.kw,
                    fmt::format("filters: {}, stride: [1, {}, 1], dilation: [1, {}, 1], groups: {}",
                                g.F, g.sw, g.dw, g.groups)),
        volume, {{"c.kernel", kernel}, {"c.bias", bias}});
    CHECK(z.shape == List{2, 1, g.Q(), 1, g.F});
    check_close(z, y.data);
  }
}

TEST_CASE("a volume is convolved along three axes") {
  // An all-one kernel of 2x2x2 sums blocks.
  const ir::Tensor x = random_tensor({1, 3, 3, 4, 1}, 4);
  const ir::Tensor y =
      run_layers("    - conv3d: {filters: 1, kernel: 2, bias: false}\n      name: c\n", x,
                 {{"c.kernel", tensor({2, 2, 2, 1, 1}, std::vector<double>(8, 1))}});
  CHECK(y.shape == List{1, 2, 2, 3, 1});
  std::vector<double> expected;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j)
      for (int k = 0; k < 3; ++k) {
        double sum = 0;
        for (int t = 0; t < 8; ++t)
          sum += x.data[static_cast<size_t>(((i + t / 4) * 3 + j + t / 2 % 2) * 4 + k + t % 2)];
        expected.push_back(sum);
      }
  check_close(y, expected);
}

TEST_CASE("depthwise and separable convolutions treat each channel for itself") {
  for (int round = 0; round < 16; ++round) {
    Geometry g = random_geometry(round % 2 == 1, false);
    const int64_t multiplier = 1 + round % 3;
    g.groups = g.C;
    g.F = g.C * multiplier;
    const ir::Tensor x = random_tensor({2, g.H, g.W, g.C}, 1);
    const ir::Tensor w = random_tensor({g.kh, g.kw, g.C, multiplier}, 2),
                     bias = random_tensor({g.F}, 3);
    const std::string arguments = fmt::format(
        "kernel: [{}, {}], stride: [{}, {}], dilation: [{}, {}], padding: {}, multiplier: {}", g.kh,
        g.kw, g.sh, g.sw, g.dh, g.dw, round % 2 == 1 ? "same" : "valid", multiplier);
    const ir::Tensor y = run_layers("    - depthwise_conv2d: {" + arguments + "}\n      name: c\n",
                                    x, {{"c.kernel", w}, {"c.bias", bias}});
    // [kh, kw, C, M] are the filters of C groups of one channel: [kh, kw, 1, C·M]
    const std::vector<double> expected = convolved(g, x, w, bias);
    check_close(y, expected);
    const ir::Tensor mix = random_tensor({g.F, 2}, 6);
    const std::vector<double> plain =
        convolved(g, x, w, tensor({g.F}, std::vector<double>(static_cast<size_t>(g.F), 0)));
    std::vector<double> mixed;
    for (size_t place = 0; place < plain.size() / static_cast<size_t>(g.F); ++place)
      for (size_t o = 0; o < 2; ++o) {
        double sum = o == 0 ? 0.5 : -1;
        for (size_t c = 0; c < static_cast<size_t>(g.F); ++c)
          sum += plain[place * static_cast<size_t>(g.F) + c] * mix.data[c * 2 + o];
        mixed.push_back(sum);
      }
    check_close(
        run_layers("    - separable_conv2d: {filters: 2, " + arguments + "}\n      name: c\n", x,
                   {{"c.depthwise", w}, {"c.pointwise", mix}, {"c.bias", tensor({2}, {0.5, -1})}}),
        mixed);
  }
}

TEST_CASE("conv2d_transpose puts weighted kernels side by side and adds them up") {
  for (int round = 0; round < 40; ++round) {
    Geometry g = random_geometry(true, false);  // H and W from 1
    const bool is_same = round % 3 == 1, is_explicit = round % 3 == 2;
    const int64_t more_h = is_same ? 0 : draw(0, g.sh - 1),
                  more_w = is_same ? 0 : draw(0, g.sw - 1);
    int64_t rows = (g.H - 1) * g.sh + g.dh * (g.kh - 1) + 1 + more_h;
    int64_t cols = (g.W - 1) * g.sw + g.dw * (g.kw - 1) + 1 + more_w;
    int64_t top = 0, left = 0;
    std::string padding = "valid";
    if (is_same) {
      padding = "same";
      top = std::max<int64_t>(0, rows - g.H * g.sh) / 2;
      left = std::max<int64_t>(0, cols - g.W * g.sw) / 2;
      rows = g.H * g.sh;
      cols = g.W * g.sw;
    } else if (is_explicit && rows > 1 && cols > 2) {
      padding = "[[1, 0], [0, 2]]";
      top = 1;
      rows -= 1;
      cols -= 2;
    }
    const ir::Tensor x = random_tensor({2, g.H, g.W, g.C}, 1), bias = random_tensor({g.F}, 3);
    const ir::Tensor w = random_tensor({g.kh, g.kw, g.C / g.groups, g.F}, 2);
    std::vector<double> expected(static_cast<size_t>(2 * rows * cols * g.F));
    for (size_t i = 0; i < expected.size(); ++i)
      expected[i] = bias.data[i % static_cast<size_t>(g.F)];
    const int64_t each = g.C / g.groups, per_group = g.F / g.groups;
    for (int64_t b = 0; b < 2; ++b)
      for (int64_t p = 0; p < g.H; ++p)
        for (int64_t q = 0; q < g.W; ++q)
          for (int64_t i = 0; i < g.kh; ++i)
            for (int64_t j = 0; j < g.kw; ++j) {
              const int64_t row = p * g.sh + i * g.dh - top, col = q * g.sw + j * g.dw - left;
              if (row < 0 || row >= rows || col < 0 || col >= cols) continue;
              for (int64_t f = 0; f < g.F; ++f)
                for (int64_t c = 0; c < each; ++c)
                  expected[static_cast<size_t>(((b * rows + row) * cols + col) * g.F + f)] +=
                      x.data[static_cast<size_t>(((b * g.H + p) * g.W + q) * g.C +
                                                 f / per_group * each + c)] *
                      w.data[static_cast<size_t>(((i * g.kw + j) * each + c) * g.F + f)];
            }
    const std::string yaml = fmt::format(
        "    - conv2d_transpose: {{filters: {}, kernel: [{}, {}], stride: [{}, {}], dilation: [{}, "
        "{}], groups: {}, padding: {}, output_padding: [{}, {}]}}\n      name: c\n",
        g.F, g.kh, g.kw, g.sh, g.sw, g.dh, g.dw, g.groups, padding, more_h, more_w);
    INFO(yaml << " over " << g.H << "x" << g.W << "x" << g.C);
    const ir::Tensor y = run_layers(yaml, x, {{"c.kernel", w}, {"c.bias", bias}});
    CHECK(y.shape == List{2, rows, cols, g.F});
    check_close(y, expected);
  }
}

TEST_CASE("pooling takes the largest or the mean of what lies inside") {
  for (int round = 0; round < 40; ++round) {
    Geometry g = random_geometry(round % 2 == 1, false);
    g.dh = g.dw = 1;
    if (round % 2 == 1) same(g);
    const ir::Tensor x = random_tensor({2, g.H, g.W, g.C}, 1);
    std::vector<double> largest, means;
    for (int64_t b = 0; b < 2; ++b)
      for (int64_t p = 0; p < g.P(); ++p)
        for (int64_t q = 0; q < g.Q(); ++q)
          for (int64_t c = 0; c < g.C; ++c) {
            double most = -std::numeric_limits<double>::infinity(), sum = 0, count = 0;
            for (int64_t i = 0; i < g.kh; ++i)
              for (int64_t j = 0; j < g.kw; ++j) {
                const int64_t row = p * g.sh + i - g.top, col = q * g.sw + j - g.left;
                if (row < 0 || row >= g.H || col < 0 || col >= g.W) continue;
                const double value =
                    x.data[static_cast<size_t>(((b * g.H + row) * g.W + col) * g.C + c)];
                most = std::max(most, value);
                sum += value;
                ++count;
              }
            largest.push_back(most);
            means.push_back(sum / count);
          }
    const std::string arguments =
        fmt::format("{{pool: [{}, {}], stride: [{}, {}], padding: {}}}", g.kh, g.kw, g.sh, g.sw,
                    round % 2 == 1 ? "same" : "valid");
    INFO(arguments << " over " << g.H << "x" << g.W);
    const ir::Tensor y = run_layers("    - maxpool2d: " + arguments + "\n", x);
    CHECK(y.shape == List{2, g.P(), g.Q(), g.C});
    check_close(y, largest);
    check_close(run_layers("    - avgpool2d: " + arguments + "\n", x), means);
  }
}

// What a layer over pictures gives for a line of them, one along one axis gives for the line, and
// one over volumes for a plane of them.
TEST_CASE("layers over one and three axes are those over two") {
  struct Kind {
    std::string before, after, arguments, weight;
    std::vector<int64_t> kernel;  // behind the axes
  };
  const std::vector<Kind> kinds = {
      {"maxpool", "", "pool: @3@, stride: @2@, padding: @[1, 2]@", "", {}},
      {"avgpool", "", "pool: @3@, stride: @2@, padding: @[1, 2]@", "", {}},
      {"avgpool", "", "pool: @2@, padding: same", "", {}},
      {"conv",
       "_transpose",
       "filters: 4, kernel: @3@, stride: @2@, padding: @[1, 0]@",
       "kernel",
       {2, 4}},
      {"conv", "_transpose", "filters: 4, kernel: @3@, groups: 2, padding: same", "kernel", {1, 4}},
      {"depthwise_conv", "", "kernel: @3@, multiplier: 2, padding: same", "kernel", {2, 2}},
      {"separable_conv", "", "filters: 3, kernel: @3@, dilation: @2@", "depthwise", {2, 1}},
  };
  const auto arguments_of = [](const Kind& kind, int axes) {
    std::string text;
    bool inside = false;
    size_t from = 0;
    for (size_t at = 0; at <= kind.arguments.size(); ++at) {
      if (at < kind.arguments.size() && kind.arguments[at] != '@') continue;
      const std::string part = kind.arguments.substr(from, at - from);
      const std::string neutral = part[0] == '[' ? "[0, 0]" : "1";
      const std::string list = axes == 1   ? "[" + part + "]"
                               : axes == 2 ? "[" + neutral + ", " + part + "]"
                                           : "[" + neutral + ", " + part + ", " + neutral + "]";
      text += inside ? list : part;
      inside = !inside;
      from = at + 1;
    }
    return text;
  };
  for (const Kind& kind : kinds) {
    std::vector<double> first;
    for (int axes = 1; axes <= 3; ++axes) {
      List shape{2, 9, 2}, kernel{3};
      if (axes >= 2) shape.insert(shape.begin() + 1, 1), kernel.insert(kernel.begin(), 1);
      if (axes == 3) shape.insert(shape.begin() + 3, 1), kernel.push_back(1);
      kernel.insert(kernel.end(), kind.kernel.begin(), kind.kernel.end());
      Tensors weights;
      if (!kind.weight.empty()) weights["c." + kind.weight] = random_tensor(kernel, 7);
      if (kind.weight == "depthwise") weights["c.pointwise"] = random_tensor({2, 3}, 8);
      const std::string bias = kind.weight.empty() ? "" : ", bias: false";
      const std::string yaml = "    - " + kind.before + std::to_string(axes) + "d" + kind.after +
                               ": {" + arguments_of(kind, axes) + bias + "}\n      name: c\n";
      INFO(yaml);
      const ir::Tensor y =
          run_layers(yaml, tensor(shape, random_tensor({2, 9, 2}, 5).data), weights);
      if (axes == 1) first = y.data;
      check_close(y, first);
    }
  }
}

TEST_CASE("over volumes: the largest of a block, and a kernel where one element stands") {
  const ir::Tensor x = random_tensor({1, 2, 4, 2, 1}, 9);
  std::vector<double> largest, mean;
  for (size_t half = 0; half < 2; ++half) {  // blocks of 2 x 2 x 2
    double most = -9, sum = 0;
    for (size_t plane : {0, 8})
      for (size_t i = 0; i < 4; ++i) {
        most = std::max(most, x.data[plane + half * 4 + i]);
        sum += x.data[plane + half * 4 + i];
      }
    largest.push_back(most);
    mean.push_back(sum / 8);
  }
  check_close(run_layers("    - maxpool3d: 2\n", x), largest);
  check_close(run_layers("    - avgpool3d: 2\n", x), mean);
  const ir::Tensor kernel = random_tensor({2, 3, 2, 1, 1}, 10);
  const ir::Tensor y = run_layers(
      "    - conv3d_transpose: {filters: 1, kernel: [2, 3, 2], bias: false}\n      name: c\n",
      tensor({1, 1, 1, 1, 1}, {1}), {{"c.kernel", kernel}});
  CHECK(y.shape == List{1, 2, 3, 2, 1});
  check_close(y, kernel.data);
}

TEST_CASE("pooling along one axis, and over everything") {
  const ir::Tensor x = tensor({1, 5, 2}, {1, 10, 3, 20, 2, 60, 7, 40, 0, 50});
  check_close(run_layers("    - maxpool1d: 2\n", x), {3, 20, 7, 60});
  check_close(run_layers("    - avgpool1d: {pool: 2, padding: same}\n", x),
              {2, 15, 4.5, 50, 0, 50});
  check_close(run_layers("    - maxpool1d: {pool: 3, stride: 2}\n", x), {3, 60, 7, 60});
  check_close(run_layers("    - global_maxpool\n", x), {7, 60});
  check_close(run_layers("    - global_avgpool\n", x), {2.6, 36});
}

TEST_CASE("upsampling repeats or interpolates; padding and cropping are each other's inverse") {
  const ir::Tensor x = tensor({1, 2, 2, 1}, {1, 2, 3, 5});
  check_close(run_layers("    - upsample: 2\n", x),
              {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 5, 5, 3, 3, 5, 5});
  check_close(run_layers("    - upsample: [1, 3]\n", x), {1, 1, 1, 2, 2, 2, 3, 3, 3, 5, 5, 5});
  // Along one axis 1, 2 becomes 1, 1.25, 1.75, 2.
  check_close(
      run_layers("    - upsample: {size: 2, method: bilinear}\n", x),
      {1, 1.25, 1.75, 2, 1.5, 1.8125, 2.4375, 2.75, 2.5, 2.9375, 3.8125, 4.25, 3, 3.5, 4.5, 5});
  check_close(run_layers("    - upsample: {size: [1, 3], method: bilinear}\n", x),
              {1, 1, 4.0 / 3, 5.0 / 3, 2, 2, 3, 3, 11.0 / 3, 13.0 / 3, 5, 5});
  check_close(run_layers("    - zero_padding: [[0, 1], 1]\n", x),
              {0, 1, 2, 0, 0, 3, 5, 0, 0, 0, 0, 0});
  const ir::Tensor picture = random_tensor({2, 3, 4, 5}, 8);
  check_close(run_layers("    - zero_padding: [[2, 1], 1]\n    - cropping: [[2, 1], 1]\n", picture),
              picture.data);
}
