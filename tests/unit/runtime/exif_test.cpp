// The orientation of photographs: what EXIF says is obeyed, and nonsense is not.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdio>
#include <random>

#include <jpeglib.h>

#include "runtime/data/exif.h"
#include "runtime/data/images.h"
#include "tests/unit/runtime/support.h"

using namespace nnc::runtime;
using test::TemporaryFolder;

namespace {

// A TIFF block with one entry, in either order of bytes.
struct Tiff {
  bool big = true;
  std::string bytes;

  void number(uint64_t value, int count) {
    for (int i = 0; i < count; ++i)
      bytes += static_cast<char>(value >> 8 * (big ? count - 1 - i : i) & 0xff);
  }
};

std::string tiff(int orientation, bool big = true, int format = 3, uint32_t count = 1) {
  Tiff block{big, big ? "MM" : "II"};
  block.number(42, 2);
  block.number(8, 4);
  block.number(1, 2);
  block.number(0x112, 2);
  block.number(static_cast<uint64_t>(format), 2);
  block.number(count, 4);
  block.number(static_cast<uint64_t>(orientation), format == 3 ? 2 : 4);
  block.number(0, format == 3 ? 6 : 4);
  return block.bytes;
}

std::string chunk(const std::string& kind, const std::string& content) {
  Tiff out{true, ""};
  out.number(content.size(), 4);
  out.bytes += kind + content;
  const std::string checked = kind + content;
  out.number(
      crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size())),
      4);
  return out.bytes;
}

// Grey, a row a text: the letters are the pixels.
std::string png_of(const std::vector<std::string>& rows, const std::string& exif) {
  Tiff header{true, ""};
  header.number(rows[0].size(), 4);
  header.number(rows.size(), 4);
  header.bytes += std::string("\x08\0\0\0\0", 5);
  std::string raw;
  for (const std::string& row : rows) raw += '\0' + row;
  std::string packed(compressBound(raw.size()), '\0');
  uLongf size = packed.size();
  REQUIRE(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                   reinterpret_cast<const Bytef*>(raw.data()), raw.size()) == Z_OK);
  packed.resize(size);
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header.bytes) +
         (exif.empty() ? "" : chunk("eXIf", exif)) + chunk("IDAT", packed) + chunk("IEND", "");
}

std::vector<std::string> rows_of(const Picture& picture) {
  std::vector<std::string> rows(static_cast<size_t>(picture.height));
  for (int64_t i = 0; i < picture.height * picture.width; ++i)
    rows[static_cast<size_t>(i / picture.width)] +=
        static_cast<char>(picture.rgb[static_cast<size_t>(i * 3)]);
  return rows;
}

// Dark and bright blocks of 8 x 8 pixels, which JPEG keeps well.
std::string jpeg_of(const std::vector<std::string>& rows, const std::vector<std::string>& markers) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_height = static_cast<unsigned>(rows.size() * 8);
  info.image_width = static_cast<unsigned>(rows[0].size() * 8);
  info.input_components = 1;
  info.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults(&info);
  jpeg_start_compress(&info, TRUE);
  for (const std::string& marker : markers)
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(marker.data()),
                      static_cast<unsigned>(marker.size()));
  while (info.next_scanline < info.image_height) {
    std::string line;
    for (char c : rows[info.next_scanline / 8]) line += std::string(8, c);
    auto* row = reinterpret_cast<unsigned char*>(line.data());
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes(reinterpret_cast<char*>(memory), size);
  std::free(memory);
  return bytes;
}

// What is to be seen is "abc" above "def"; by orientation, as the camera stored it: where row 0 and
// column 0 of what is stored belong is said in Exif 2.32.
const std::vector<std::string> seen = {"abc", "def"};
const std::vector<std::vector<std::string>> stored = {{"abc", "def"},       // 1: top, left
                                                      {"cba", "fed"},       // 2: top, right
                                                      {"fed", "cba"},       // 3: bottom, right
                                                      {"def", "abc"},       // 4: bottom, left
                                                      {"ad", "be", "cf"},   // 5: left, top
                                                      {"cf", "be", "ad"},   // 6: right, top
                                                      {"fc", "eb", "da"},   // 7: right, bottom
                                                      {"da", "eb", "fc"}};  // 8: left, bottom

}  // namespace

TEST_CASE("pictures are turned as their EXIF orientation says") {
  TemporaryFolder folder;
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const auto& rows = stored[static_cast<size_t>(orientation - 1)];
    for (const bool big : {true, false}) {
      CHECK(exif_orientation(tiff(orientation, big)) == orientation);
      CHECK(exif_orientation(tiff(orientation, big, 4)) == orientation);
      const std::string file = folder.write("a.png", png_of(rows, tiff(orientation, big)));
      CHECK(rows_of(read_picture(file)) == seen);
    }
    // XMP has the same marker.
    const std::string exif = std::string("Exif\0\0", 6) + tiff(orientation);
    const std::string xmp = std::string("http://ns.adobe.com/xap/1.0/\0<x/>", 33);
    const Picture photo = read_picture(folder.write("a.jpg", jpeg_of(rows, {xmp, exif})));
    REQUIRE(photo.height == 16);
    REQUIRE(photo.width == 24);
    for (int64_t y = 0; y < 2; ++y)
      for (int64_t x = 0; x < 3; ++x) {
        const int64_t middle = (y * 8 + 4) * photo.width + x * 8 + 4;
        const int got = photo.rgb[static_cast<size_t>(middle * 3)];
        CHECK(std::abs(got - seen[static_cast<size_t>(y)][static_cast<size_t>(x)]) <= 1);
      }
  }
}

TEST_CASE("without an orientation, or with one that is none, pictures stay as they are") {
  TemporaryFolder folder;
  CHECK(rows_of(read_picture(folder.write("a.png", png_of(seen, "")))) == seen);
  for (const std::string& block :
       {tiff(0), tiff(9), tiff(65535), tiff(6, true, 3, 2), tiff(6, true, 2), tiff(6).substr(0, 12),
        std::string("MM"), std::string("II*\0\xff\xff\xff\xff", 8), std::string(300, 'M')}) {
    CHECK(exif_orientation(block) == 1);
    CHECK(rows_of(read_picture(folder.write("a.png", png_of(seen, block)))) == seen);
  }
}

TEST_CASE("damaged EXIF data harm nobody") {
  std::mt19937 random(7);
  for (int i = 0; i < 5000; ++i) {
    std::string block = tiff(static_cast<int>(random() % 9), random() % 2 == 0);
    block += std::string(random() % 64, '\x12');
    for (unsigned changes = random() % 6; changes > 0; --changes)
      block[random() % block.size()] = static_cast<char>(random());
    block.resize(random() % (block.size() + 1));
    const int orientation = exif_orientation(block);
    CHECK(orientation >= 1);
    CHECK(orientation <= 8);
  }
}
