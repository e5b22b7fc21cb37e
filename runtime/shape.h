// How large an array may be, and how many elements it has. The compiler includes this header, too.
#pragma once

#include <cstdint>
#include <vector>

namespace nnc {

// No array has more elements: 2^40 bytes are more than any machine holds. Below this, offsets,
// strides and sums of sizes in bytes stay far from 2^63.
constexpr int64_t most_elements = int64_t{1} << 40;

// a · b of two counts; the largest number where the product is larger than that.
constexpr int64_t checked_product(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

// The elements of an array with these extents. Every product of a shape goes through here, or
// through ir::product and ir::Type::elements for shapes that count the batch.
constexpr int64_t elements_of(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) count = checked_product(count, extent);
  return count;
}

}  // namespace nnc
