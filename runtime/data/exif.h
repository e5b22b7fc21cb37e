// Which way up a camera was held: the orientation that EXIF notes in a picture.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/data/picture.h"

namespace nnc::runtime {

// 1 … 8 as EXIF counts them, of a block of EXIF data that begins with its TIFF header; 1, upright,
// where it says nothing or nonsense.
int exif_orientation(std::string_view tiff);

// The picture as it is to be seen.
Picture upright(const std::string& path, Picture stored, int orientation);

}  // namespace nnc::runtime
