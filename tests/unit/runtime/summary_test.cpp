// Mean, deviation and histogram of weights.
#include "runtime/summary.h"

#include <cmath>
#include <limits>

#include "support.h"

using namespace nnc;
using namespace nnc::runtime;

TEST_CASE("a summary tells mean, deviation, ends and a histogram") {
  const Summary summary = summarize({1, 2, 3, 4, 5, 6, 7, 9}, 4);
  CHECK(summary.numbers == 8);
  CHECK(summary.mean == doctest::Approx(4.625));
  CHECK(summary.deviation == doctest::Approx(std::sqrt(49.875 / 8)));  // Σ (x - mean)²
  CHECK(summary.least == 1);
  CHECK(summary.most == 9);
  CHECK(summary.histogram == std::vector<int64_t>{2, 2, 2, 2});  // [1,3) [3,5) [5,7) [7,9]
}

TEST_CASE("equal numbers, none, and those that are none") {
  CHECK(summarize({2, 2, 2}, 3).histogram == std::vector<int64_t>{3, 0, 0});
  CHECK(summarize({2, 2, 2}, 3).deviation == 0);
  CHECK(std::isnan(summarize({}, 3).mean));
  const double infinity = std::numeric_limits<double>::infinity();
  const Summary summary = summarize({1, std::nan(""), infinity, 3}, 2);
  CHECK(summary.numbers == 4);
  CHECK(summary.not_finite == 2);
  CHECK(summary.mean == 2);
  CHECK(summary.deviation == 1);
  CHECK(std::isnan(summarize({infinity}, 2).most));
}

TEST_CASE("the widest and the narrowest ranges have histograms") {
  const double most = std::numeric_limits<double>::max();
  CHECK(summarize({-most, 0, most}, 3).histogram == std::vector<int64_t>{1, 1, 1});
  const double tiny = std::nextafter(1.0, 2.0);
  CHECK(summarize({1, tiny}, 2).histogram == std::vector<int64_t>{1, 1});
}

TEST_CASE("numbers come in the order of the shape, of any type, out of panels too") {
  abi::StateDesc desc;
  desc.shape = {2, 4};
  desc.panel = 2;
  Buffer slab = Buffer::zeros(64);
  const float in_panels[] = {1, 2, 5, 6, 3, 4, 7, 8};
  std::copy(std::begin(in_panels), std::end(in_panels), slab.as<float>());
  CHECK(numbers_of(desc, slab) == std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8});
  desc.dtype = abi::DType::f64;
  desc.panel = 0;
  desc.shape = {2};
  slab.as<double>()[1] = 0.1;
  CHECK(numbers_of(desc, slab)[1] == 0.1);
}
