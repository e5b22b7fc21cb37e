#include "runtime/data/picture.h"

#include <fmt/format.h>

#include "runtime/data/error.h"
#include "runtime/data/exif.h"
#include "runtime/data/stream.h"
#include "runtime/memory_limit.h"

namespace nnc::runtime {
namespace {

// Not open_stream: a picture is never compressed once more.
std::string bytes_of(const std::string& path) {
  const FileHandle file(path);
  std::string bytes(static_cast<size_t>(file.size()), '\0');
  bytes.resize(file.read_at(0, bytes.data(), bytes.size()));
  return bytes;
}

std::string first_bytes(const std::string& bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size() && i < 4; ++i) {
    text += fmt::format("{}{:02x}", i > 0 ? " " : "", static_cast<unsigned char>(bytes[i]));
  }
  return text.empty() ? "an empty file" : text;
}

}  // namespace

Picture picture_of(const std::string& path, uint64_t height, uint64_t width) {
  constexpr uint64_t most = uint64_t{1} << 27, large = uint64_t{1} << 24;
  if (height == 0 || width == 0 || width > most / height) {
    throw DataError(path, "its header", "a picture of this size is not read",
                    fmt::format("1 to {} pixels", most), fmt::format("{} × {}", height, width));
  }
  static std::mutex one_at_a_time;
  Picture picture{static_cast<int64_t>(height), static_cast<int64_t>(width), {}, {}};
  if (height * width >= large) picture.turn = std::unique_lock(one_at_a_time);
  within_memory(path, fmt::format("the {} × {} pixels of this picture do", height, width),
                [&] { picture.rgb.resize(static_cast<size_t>(3 * height * width)); });
  return picture;
}

Picture read_picture(const std::string& path) {
  const std::string bytes = bytes_of(path);
  if (bytes.starts_with("\x89PNG")) {
    return upright(path, decode_png(path, bytes), exif_orientation(exif_of_png(bytes)));
  }
  if (bytes.starts_with("\xff\xd8\xff")) {
    std::string exif;
    Picture stored = decode_jpeg(path, bytes, &exif);
    return upright(path, std::move(stored), exif_orientation(exif));
  }
  throw DataError(path, "byte 0", "this is not a picture that can be read",
                  "PNG (89 50 4e 47) or JPEG (ff d8 ff)", first_bytes(bytes));
}

}  // namespace nnc::runtime
