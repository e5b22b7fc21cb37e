// JPEG through libjpeg-turbo. The library reports errors by leaving with longjmp, so that what runs
// below setjmp holds no objects that would have to be destroyed.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <limits>

#include <jpeglib.h>

#include "runtime/data/error.h"
#include "runtime/data/picture.h"
#include "runtime/memory_limit.h"

namespace nnc::runtime {
namespace {

struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf leave;
  char text[JMSG_LENGTH_MAX];
};

ErrorManager& manager_of(j_common_ptr info) { return *reinterpret_cast<ErrorManager*>(info->err); }

[[noreturn]] void on_error(j_common_ptr info) {
  ErrorManager& manager = manager_of(info);
  info->err->format_message(info, manager.text);
  std::longjmp(manager.leave, 1);
}

// A truncated or damaged picture is only a warning to the library, which fills in grey.
void on_message(j_common_ptr info, int level) {
  if (level < 0) on_error(info);
}

constexpr int exif_marker = JPEG_APP0 + 1;

// Reads the header; false with manager.text set if that fails.
bool read_header(jpeg_decompress_struct& info, ErrorManager& manager, const std::string& bytes) {
  if (setjmp(manager.leave) != 0) return false;
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_save_markers(&info, exif_marker, 0xffff);
  jpeg_read_header(&info, TRUE);
  return true;
}

// XMP has the same marker and another beginning.
std::string exif_of(const jpeg_decompress_struct& info) {
  const std::string_view begin("Exif\0\0", 6);
  for (const auto* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    if (marker->marker != exif_marker) continue;
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (data.starts_with(begin)) return std::string(data.substr(begin.size()));
  }
  return "";
}

// Decodes into height × width × 3 bytes.
bool read_pixels(jpeg_decompress_struct& info, ErrorManager& manager, uint8_t* rgb) {
  if (setjmp(manager.leave) != 0) return false;
  info.out_color_space = JCS_RGB;
  info.dct_method = JDCT_ISLOW;  // the same bits with every vector extension
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = rgb + static_cast<size_t>(info.output_scanline) * info.output_width * 3;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

class Decompressor {
 public:
  Decompressor() {
    info_.err = jpeg_std_error(&manager_.base);
    manager_.base.error_exit = on_error;
    manager_.base.emit_message = on_message;
    jpeg_create_decompress(&info_);
  }
  ~Decompressor() { jpeg_destroy_decompress(&info_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  jpeg_decompress_struct& info() { return info_; }
  ErrorManager& manager() { return manager_; }

 private:
  jpeg_decompress_struct info_{};
  ErrorManager manager_{};
};

}  // namespace

Picture decode_jpeg(const std::string& path, const std::string& bytes, std::string* exif) {
  Decompressor jpeg;
  const auto fail = [&] {
    throw DataError(path, "", "the JPEG picture is damaged or truncated", "",
                    std::string(jpeg.manager().text));
  };
  if (!read_header(jpeg.info(), jpeg.manager(), bytes)) fail();
  const J_COLOR_SPACE colours = jpeg.info().jpeg_color_space;
  if (colours == JCS_CMYK || colours == JCS_YCCK)
    throw DataError(path, "", "the JPEG picture has the colours of print (CMYK)",
                    "a picture in RGB or gray");
  *exif = exif_of(jpeg.info());
  Picture picture = picture_of(path, jpeg.info().image_height, jpeg.info().image_width);
  // Progressive pictures are held whole by the library, too.
  jpeg.info().mem->max_memory_to_use =
      static_cast<long>(std::min<uint64_t>(memory_left(), std::numeric_limits<long>::max()));
  if (!read_pixels(jpeg.info(), jpeg.manager(), picture.rgb.data())) fail();
  return picture;
}

}  // namespace nnc::runtime
