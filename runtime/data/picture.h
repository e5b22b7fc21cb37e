// Pictures as files: PNG and JPEG, recognised by their first bytes, decoded to RGB.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace nnc::runtime {

// Row-major, three bytes a pixel: red, green, blue in sRGB.
struct Picture {
  int64_t height = 0;
  int64_t width = 0;
  // Large pictures are held one at a time, by whichever thread: what they need does not depend on
  // how many threads there are. Given back after the pixels.
  std::unique_lock<std::mutex> turn = {};
  std::vector<uint8_t> rgb;
};

// Reads and decodes a file. Greys are equal parts of red, green and blue; transparent parts lie on
// black; deeper pictures are brought to 8 bits; what EXIF says of a camera that was held sideways
// is obeyed. Throws DataError with the file's path: not a picture, damaged, truncated, larger than
// 2^27 pixels or than the memory limit allows.
Picture read_picture(const std::string& path);

// ---- for read_picture: `bytes` is the whole file. They throw DataError.
Picture decode_png(const std::string& path, const std::string& bytes);
// As stored; `exif`: the block of EXIF data, from its TIFF header on, or nothing.
Picture decode_jpeg(const std::string& path, const std::string& bytes, std::string* exif);
std::string_view exif_of_png(std::string_view bytes);
// An empty picture with room for its pixels. Throws unless a picture of this size may be decoded.
Picture picture_of(const std::string& path, uint64_t height, uint64_t width);

}  // namespace nnc::runtime
