#include "runtime/rng.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

using namespace nnc::runtime;

TEST_CASE("philox gives the known answers of Random123") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint32_t f = 0xffffffff;
  CHECK(philox({f, f, f, f}, {f, f}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("uniform numbers fill [0, 1) evenly") {
  const RandomStream stream{7, stream_of("test"), 3, 0};
  double sum = 0;
  const int n = 20000;
  for (int i = 0; i < n; ++i) {
    const float x = uniform_f32(stream, static_cast<uint64_t>(i));
    const double y = uniform_f64(stream, static_cast<uint64_t>(i));
    CHECK((x >= 0 && x < 1 && y >= 0 && y < 1));
    sum += static_cast<double>(x) - y;
    sum += y;
  }
  CHECK(sum / n == doctest::Approx(0.5).epsilon(0.02));
}

TEST_CASE("normal numbers have the moments of the normal distribution") {
  const RandomStream stream{1, stream_of("normal"), 0, 0};
  double mean = 0, square = 0, fourth = 0;
  const int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double x = normal(stream, static_cast<uint64_t>(i));
    mean += x / n;
    square += x * x / n;
    fourth += x * x * x * x / n;
  }
  // Three standard errors: 1/sqrt(n), sqrt(2/n), sqrt(96/n).
  CHECK(std::abs(mean) < 3 * std::sqrt(1.0 / n));
  CHECK(std::abs(square - 1) < 3 * std::sqrt(2.0 / n));
  CHECK(std::abs(fourth - 3) < 3 * std::sqrt(96.0 / n));
}

TEST_CASE("normal numbers agree with the formula of Box and Muller") {
  for (uint64_t block = 0; block < 2000; ++block) {
    const Words words = RandomStream{5, 6, 0, 0}.block(block);
    const double u = 1 - uniform_f64(words[0], words[1]);
    const double angle = 2 * M_PI * uniform_f64(words[2], words[3]);
    const double radius = std::sqrt(-2 * std::log(u));
    const auto pair = normal_pair(words);
    CHECK(std::abs(pair[0] - radius * std::cos(angle)) < 1e-14 * (1 + radius));
    CHECK(std::abs(pair[1] - radius * std::sin(angle)) < 1e-14 * (1 + radius));
  }
  // The ends of the range: u = 1 and the smallest u.
  CHECK(normal_pair({0, 0, 0, 0})[0] == 0);
  CHECK(std::isfinite(normal_pair({0xffffffff, 0xffffffff, 0, 0})[0]));
}

TEST_CASE("a permutation has every row once, in an order of its seed and epoch") {
  for (int64_t rows : {0, 1, 2, 3, 17, 1000}) {
    std::vector<int32_t> order = permutation(rows, 1, 1);
    std::sort(order.begin(), order.end());
    for (int64_t i = 0; i < rows; ++i) REQUIRE(order[static_cast<size_t>(i)] == i);
  }
  CHECK(permutation(1000, 1, 1) == permutation(1000, 1, 1));
  CHECK(permutation(1000, 1, 1) != permutation(1000, 1, 2));
  CHECK(permutation(1000, 1, 1) != permutation(1000, 2, 1));
}

TEST_CASE("all orders of four rows come up") {
  std::set<std::vector<int32_t>> orders;
  for (uint64_t epoch = 0; epoch < 500; ++epoch) orders.insert(permutation(4, 9, epoch));
  CHECK(orders.size() == 24);
}

TEST_CASE("streams of similar names differ") {
  CHECK(stream_of("fc1.kernel") != stream_of("fc2.kernel"));
  CHECK(uniform_f32({1, stream_of("a"), 0, 0}, 0) != uniform_f32({1, stream_of("b"), 0, 0}, 0));
}
