// Orthogonal starts.
#include <doctest/doctest.h>

#include <cmath>

#include "runtime/orthogonal.h"
#include "runtime/state.h"

using namespace nnc;

TEST_CASE("an orthogonal start has orthonormal rows, or columns where there are fewer") {
  const std::vector<std::vector<int64_t>> shapes = {{1, 1},  {5, 5},        {7, 3}, {3, 7},
                                                    {64, 9}, {3, 3, 2, 17}, {6},    {130, 131}};
  for (const std::vector<int64_t>& shape : shapes) {
    abi::StateDesc desc;
    desc.name = "w";
    desc.dtype = abi::DType::f64;
    desc.shape = shape;
    desc.stream = 3;
    desc.initial.kind = abi::Initial::Kind::orthogonal;
    desc.initial.a = 2;
    std::vector<double> w(desc.elements());
    runtime::initialize(desc, 7, {}, w.data());
    const auto columns = static_cast<size_t>(shape.back());
    const size_t rows = w.size() / columns;
    const bool by_row = rows <= columns;
    const size_t count = by_row ? rows : columns, length = by_row ? columns : rows;
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        double dot = 0;
        for (size_t k = 0; k < length; ++k) {
          dot += by_row ? w[i * columns + k] * w[j * columns + k]
                        : w[k * columns + i] * w[k * columns + j];
        }
        CHECK(std::abs(dot - (i == j ? 4 : 0)) < 1e-12);
      }
    }
  }
}
