// Pictures at another size.
#pragma once

#include "runtime/data/picture.h"

namespace nnc::runtime {

enum class Fit : uint8_t {
  crop,    // the largest part of the wanted proportions from the middle
  stretch  // the whole picture, whatever its proportions
};

// height × width × channels bytes (1: grey by ITU-R BT.601, 3: RGB). Bilinear: weights fall off
// linearly over one pixel, or when the picture shrinks over one pixel of the result, so that every
// pixel of the original counts (no aliasing). Sums are f64, first along rows, then along columns.
std::vector<uint8_t> resize(const Picture& picture, int64_t height, int64_t width, int64_t channels,
                            Fit fit);

}  // namespace nnc::runtime
