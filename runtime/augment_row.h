// The changes of one row: pure functions of its numbers and its random stream.
#pragma once

#include <span>
#include <vector>

#include "runtime/augment.h"
#include "runtime/rng.h"

namespace nnc::runtime {

// Where the random numbers of a row come from: four words for each step.
struct RowRandom {
  uint64_t seed = 0;
  uint64_t stream = 0;  // of the field
  uint32_t epoch = 0;
  uint64_t row = 0;
  Words words(size_t step) const {
    return RandomStream{seed, stream, epoch, static_cast<uint32_t>(step)}.block(row);
  }
  // Two normal numbers for elements 2i and 2i+1 of a row of `elements` numbers.
  std::array<double, 2> normals(size_t step, size_t i, size_t elements) const {
    const RandomStream numbers{seed, stream, epoch, 0x80000000u | static_cast<uint32_t>(step)};
    return normal_pair(numbers.block(row * ((elements + 1) / 2) + i));
  }
};

// A row of shape [height, width, channels], or of any shape if no step is about places. `range`:
// what amounts are shares of.
struct RowShape {
  int64_t height = 1;
  int64_t width = 1;
  int64_t channels = 1;
  double range = 1;
};

// Changes `row` in place; `scratch` is of the same size.
void augment_row(std::span<double> row, std::span<double> scratch, const RowShape& shape,
                 const std::vector<AugmentStep>& steps, const RowRandom& random);

}  // namespace nnc::runtime
