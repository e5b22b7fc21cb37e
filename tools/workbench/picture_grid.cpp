#include "tools/workbench/picture_grid.h"

#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/shape.h"
#include "tools/workbench/error.h"

namespace nnc::workbench {

namespace {

constexpr int64_t gap = 1;        // pixels between pictures
constexpr uint8_t gap_grey = 64;  // dark, whatever the pictures are
constexpr int64_t longest_side = 1 << 15;

bool takes(const std::vector<int64_t>& shape, Pictures& pictures) {
  if (shape.size() < 2 || shape.size() > 3) return false;
  const int64_t channels = shape.size() == 3 ? shape[2] : 1;
  if (channels != 1 && channels != 3) return false;
  pictures.height = shape[0];
  pictures.width = shape[1];
  pictures.channels = channels;
  return true;
}

std::string encoded(png_image& image, const std::vector<uint8_t>& pixels) {
  png_alloc_size_t size = 0;
  if (png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr) != 0) {
    std::string file(size, '\0');
    if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr) != 0) {
      file.resize(size);
      return file;
    }
  }
  const std::string message = image.message;
  png_image_free(&image);
  throw WorkError(Fault::work, "the picture cannot be written: " + message);
}

}  // namespace

bool picture_shape(const std::vector<int64_t>& row_shape, const std::vector<int64_t>& wanted,
                   Pictures& pictures) {
  const int64_t count = elements_of(row_shape);
  if (count == elements_of(wanted) && takes(wanted, pictures)) return true;
  if (takes(row_shape, pictures)) return true;
  const auto side = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(count))));
  return row_shape.size() == 1 && side > 1 && side * side == count && takes({side, side}, pictures);
}

std::pair<double, double> guess_range(const std::vector<double>& numbers) {
  double low = 0, high = 0;
  for (const double number : numbers) {
    if (!std::isfinite(number)) continue;
    low = std::min(low, number);
    high = std::max(high, number);
  }
  constexpr double beyond_one = 1.5;  // a little more than 1 is 1 that was not quite reached
  if (high > beyond_one) return {0, 255};
  return {low < -0.01 ? -1 : 0, 1};
}

void add_picture(Pictures& pictures, const double* numbers, std::pair<double, double> range) {
  const auto count = static_cast<size_t>(pictures.height * pictures.width * pictures.channels);
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; ++i) {
    const double share = (numbers[i] - range.first) / (range.second - range.first);
    const double byte = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) * 255 : 0;
    bytes[i] = static_cast<uint8_t>(std::lround(byte));
  }
  pictures.bytes.push_back(std::move(bytes));
}

std::string grid_png(const Pictures& pictures, int64_t columns) {
  const auto count = static_cast<int64_t>(pictures.bytes.size());
  if (columns <= 0)
    columns = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  columns = std::clamp<int64_t>(columns, 1, std::max<int64_t>(count, 1));
  const int64_t lines = std::max<int64_t>((count + columns - 1) / columns, 1);
  const int64_t width = columns * (pictures.width + gap) + gap;
  const int64_t height = lines * (pictures.height + gap) + gap;
  if (width > longest_side || height > longest_side) {
    throw WorkError(Fault::request, "so many pictures are too large for one file",
                    "fewer of them (-n), or --out FILE.npz");
  }
  const auto n = static_cast<size_t>(pictures.channels);
  std::vector<uint8_t> pixels(static_cast<size_t>(width * height) * n, gap_grey);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t top = gap + i / columns * (pictures.height + gap);
    const int64_t left = gap + i % columns * (pictures.width + gap);
    const auto line_bytes = static_cast<size_t>(pictures.width) * n;
    for (int64_t y = 0; y < pictures.height; ++y) {
      std::memcpy(
          pixels.data() + static_cast<size_t>((top + y) * width + left) * n,
          pictures.bytes[static_cast<size_t>(i)].data() + static_cast<size_t>(y) * line_bytes,
          line_bytes);
    }
  }
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = pictures.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  return encoded(image, pixels);
}

}  // namespace nnc::workbench
