// PNG through libpng's simplified interface.
#include <png.h>

#include <cstring>

#include "runtime/data/error.h"
#include "runtime/data/picture.h"

namespace nnc::runtime {
namespace {

// Frees what libpng holds, whatever happens.
class Image {
 public:
  Image() {
    std::memset(&image_, 0, sizeof image_);
    image_.version = PNG_IMAGE_VERSION;
  }
  ~Image() { png_image_free(&image_); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  png_image* operator->() { return &image_; }
  png_image* get() { return &image_; }

 private:
  png_image image_;
};

[[noreturn]] void damaged(const std::string& path, Image& image) {
  throw DataError(path, "", "the PNG picture is damaged or truncated", "",
                  std::string(image->message));
}

}  // namespace

Picture decode_png(const std::string& path, const std::string& bytes) {
  Image image;
  if (png_image_begin_read_from_memory(image.get(), bytes.data(), bytes.size()) == 0) {
    damaged(path, image);
  }
  Picture picture = picture_of(path, image->height, image->width);
  image->format = PNG_FORMAT_RGB;
  image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // as 8-bit pictures are
  const png_color black{0, 0, 0};
  if (png_image_finish_read(image.get(), &black, picture.rgb.data(), 0, nullptr) == 0) {
    damaged(path, image);
  }
  return picture;
}

// Chunks: length, name, content, checksum. One that is damaged ends the search.
std::string_view exif_of_png(std::string_view bytes) {
  constexpr size_t signature = 8, around = 12;
  for (size_t at = signature; at + around <= bytes.size();) {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[at + i]); };
    const size_t length = size_t{byte(0)} << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
    if (length > bytes.size() - at - around) break;
    if (bytes.substr(at + 4, 4) == "eXIf") return bytes.substr(at + 8, length);
    at += around + length;
  }
  return {};
}

}  // namespace nnc::runtime
