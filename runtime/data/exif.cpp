// EXIF through libexif. What the numbers mean: Exif 2.32, 4.6.4, tag Orientation.
#include "runtime/data/exif.h"

#include <libexif/exif-data.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "runtime/memory_limit.h"

namespace nnc::runtime {
namespace {

struct Release {
  void operator()(ExifData* data) const { exif_data_unref(data); }
};

// Where a pixel of the upright picture lies in the stored one.
struct Place {
  int64_t y = 0, x = 0;
};

Place stored_place(int orientation, int64_t y, int64_t x, int64_t height, int64_t width) {
  switch (orientation) {
    case 2: return {y, width - 1 - x};
    case 3: return {height - 1 - y, width - 1 - x};
    case 4: return {height - 1 - y, x};
    case 5: return {x, y};
    case 6: return {height - 1 - x, y};
    case 7: return {height - 1 - x, width - 1 - y};
    case 8: return {x, width - 1 - y};
    default: return {y, x};
  }
}

}  // namespace

int exif_orientation(std::string_view tiff) {
  const std::unique_ptr<ExifData, Release> data(exif_data_new());
  if (!data) return 1;
  // As it is written, not as the specification would have it.
  exif_data_unset_option(data.get(), EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
  const std::string block = std::string("Exif\0\0", 6).append(tiff);
  exif_data_load_data(data.get(), reinterpret_cast<const unsigned char*>(block.data()),
                      static_cast<unsigned>(block.size()));
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->components != 1) return 1;
  const ExifByteOrder order = exif_data_get_byte_order(data.get());
  uint64_t value = 1;
  if (entry->format == EXIF_FORMAT_SHORT && entry->size >= 2)
    value = exif_get_short(entry->data, order);
  if (entry->format == EXIF_FORMAT_LONG && entry->size >= 4)
    value = exif_get_long(entry->data, order);
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

Picture upright(const std::string& path, Picture stored, int orientation) {
  if (orientation <= 1 || orientation > 8) return stored;
  const bool turned = orientation >= 5;
  Picture result;
  result.height = turned ? stored.width : stored.height;
  result.width = turned ? stored.height : stored.width;
  result.turn = std::move(stored.turn);
  within_memory(path, "the pixels of this picture, turned upright, do",
                [&] { result.rgb.resize(stored.rgb.size()); });
  uint8_t* to = result.rgb.data();
  for (int64_t y = 0; y < result.height; ++y) {
    for (int64_t x = 0; x < result.width; ++x, to += 3) {
      const Place from = stored_place(orientation, y, x, stored.height, stored.width);
      std::copy_n(stored.rgb.data() + (from.y * stored.width + from.x) * 3, 3, to);
    }
  }
  return result;
}

}  // namespace nnc::runtime
