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
  check_picture_size(path, image->height, image->width);
  image->format = PNG_FORMAT_RGB;
  image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // as 8-bit pictures are
  Picture picture{image->height, image->width, {}};
  picture.rgb.resize(PNG_IMAGE_SIZE(*image.get()));
  const png_color black{0, 0, 0};
  if (png_image_finish_read(image.get(), &black, picture.rgb.data(), 0, nullptr) == 0) {
    damaged(path, image);
  }
  return picture;
}

}  // namespace nnc::runtime
