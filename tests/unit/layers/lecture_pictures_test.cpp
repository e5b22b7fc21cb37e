// The worked examples of "More complex machine learning models", number for number: pooling, the
// Sobel operators, a convolution and its transposition, all of one 4x4 picture.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

ir::Tensor picture() {
  return tensor({1, 4, 4, 1}, {0, 1, 2, 3, 5, 6, 7, 8, 3, 2, 1, 0, 1, 2, 3, 4});
}

}  // namespace

TEST_CASE("pooling of the notes: size (2, 2), stride 2") {
  check_close(run_layers("    - maxpool2d: 2\n", picture()), {6, 8, 3, 4});
  check_close(run_layers("    - avgpool2d: 2\n", picture()), {3, 5, 2, 2});
}

TEST_CASE("convolution of the notes: 4x4 with 2x2 gives 3x3") {
  const ir::Tensor y =
      run_layers("    - conv2d: {filters: 1, kernel: 2, bias: false}\n      name: c\n", picture(),
                 {{"c.kernel", tensor({2, 2, 1, 1}, {3, 5, 2, 2})}});
  CHECK(y.shape == std::vector<int64_t>{1, 3, 3, 1});
  check_close(y, {27, 39, 51, 55, 59, 63, 25, 21, 17});
}

// The notes leave the 3x3 picture open (a … i) and draw which element reaches which: each of them
// puts the kernel, times itself, into 2x2 of the 4x4 results.
TEST_CASE("transposed convolution of the notes: 3x3 with 2x2 gives 4x4") {
  const std::string layer =
      "    - conv2d_transpose: {filters: 1, kernel: 2, bias: false}\n      name: c\n";
  const Tensors kernel = {{"c.kernel", tensor({2, 2, 1, 1}, {3, 5, 2, 2})}};
  for (int element = 0; element < 9; ++element) {
    ir::Tensor x = tensor({1, 3, 3, 1}, std::vector<double>(9, 0));
    x.data[static_cast<size_t>(element)] = 1;
    std::vector<double> expected(16, 0);
    const auto corner = static_cast<size_t>(element / 3 * 4 + element % 3);
    expected[corner] = 3;
    expected[corner + 1] = 5;
    expected[corner + 4] = 2;
    expected[corner + 5] = 2;
    check_close(run_layers(layer, x, kernel), expected);
  }
  // The result of the convolution above, sent back: worked out by hand.
  const ir::Tensor x = tensor({1, 3, 3, 1}, {27, 39, 51, 55, 59, 63, 25, 21, 17});
  const ir::Tensor y = run_layers(layer, x, kernel);
  CHECK(y.shape == std::vector<int64_t>{1, 4, 4, 1});
  check_close(y, {81, 252, 348, 255,   //
                  219, 584, 664, 417,  //
                  185, 416, 400, 211,  //
                  50, 92, 76, 34});
}

// Gx and Gy as two filters that nobody trains, magnitude and angle as formulas. The patch has the
// notes' picture in it; filters are not flipped.
TEST_CASE("Sobel operators of the notes, magnitude and angle") {
  const std::string layers =
      "    - conv2d:\n"
      "        filters: 2\n"
      "        kernel: 3\n"
      "        bias: false\n"
      "        init:\n"
      "          kernel:\n"
      "            - [[1, 0, -1], [2, 0, -2], [1, 0, -1]]\n"
      "            - [[1, 2, 1], [0, 0, 0], [-1, -2, -1]]\n"
      "      name: sobel\n";
  // In memory the kernel is [rows, columns, channels, filters].
  const Tensors kernel = {{"sobel.kernel", tensor({3, 3, 1, 2}, {1, 1, 0, 2, -1, 1,  //
                                                                 2, 0, 0, 0, -2, 0,  //
                                                                 1, -1, 0, -2, -1, -1})}};
  const ir::Tensor g = run_layers(layers, picture(), kernel);
  CHECK(g.shape == std::vector<int64_t>{1, 2, 2, 2});
  // Gx of the first patch: (0 - 2) + 2·(5 - 7) + (3 - 1) = -4; Gy: (0 + 2 + 2) - (3 + 4 + 1) = -4.
  check_close(g, {-4, -4, -4, 4, 0, 16, 0, 16});
  const auto formula = [&](const std::string& text) {
    return run_layers(layers + "    - expr: \"" + text + "\"\n", picture(), kernel);
  };
  check_close(formula("sqrt(sobel[..., 0]^2 + sobel[..., 1]^2)"),
              {std::sqrt(32.0), std::sqrt(32.0), 16, 16});
  const double right = std::acos(-1.0) / 2;
  check_close(formula("atan(sobel[..., 1] / sobel[..., 0])"),
              {right / 2, -right / 2, right, right});
}

TEST_CASE("values of a kernel in the file stand filter by filter") {
  Model model = load(
      "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy}}\nmodel:\n  inputs: [x]\n"
      "  layers:\n    - conv2d:\n        filters: 2\n        kernel: [1, 2]\n        bias: false\n"
      "        init: {kernel: [[[[1, 2, 3], [4, 5, 6]]], [[[7, 8, 9], [10, 11, 12]]]]}\n"
      "      name: c\n",
      {field("x", {4, 4, 3}, abi::DType::f64)});
  const assemble::Forward forward = model.forward(assemble::Mode::predict);
  REQUIRE(forward.states.size() == 1);
  CHECK(forward.states[0].initial.values ==
        std::vector<double>{1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12});
}
