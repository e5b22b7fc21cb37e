// Pictures: decoding, resizing, and folders of them; damaged files and strange names.
#include <doctest/doctest.h>
#include <png.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <jpeglib.h>

#include "runtime/data/error.h"
#include "runtime/data/images.h"
#include "runtime/data/load.h"
#include "runtime/data/picture.h"
#include "runtime/data/probe.h"
#include "runtime/data/resize.h"
#include "tests/unit/runtime/support.h"

using namespace nnc;
using namespace nnc::runtime;
using test::TemporaryFolder;

namespace {

// Colours that differ from pixel to pixel.
Picture pattern(int64_t height, int64_t width, int seed = 0) {
  Picture picture{height, width, {}, {}};
  for (int64_t i = 0; i < height * width * 3; ++i) {
    picture.rgb.push_back(static_cast<uint8_t>((i * 37 + seed * 91 + i * i % 11) % 256));
  }
  return picture;
}

std::string png_bytes(const std::vector<uint8_t>& pixels, int64_t height, int64_t width,
                      uint32_t format) {
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(height);
  image.width = static_cast<png_uint_32>(width);
  image.format = format;
  png_alloc_size_t size = 0;
  REQUIRE(png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr) != 0);
  std::string bytes(size, '\0');
  REQUIRE(png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr) !=
          0);
  return bytes;
}

std::string png_of(const Picture& picture) {
  return png_bytes(picture.rgb, picture.height, picture.width, PNG_FORMAT_RGB);
}

// `components`: 3 for RGB; 4 reads the bytes as CMYK, so the picture is narrower.
std::string jpeg_of(const Picture& picture, int components = 3) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_height = static_cast<unsigned>(picture.height);
  info.image_width = static_cast<unsigned>(picture.width * 3 / components);
  info.input_components = components;
  info.in_color_space = components == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<unsigned char*>(picture.rgb.data()) +
                static_cast<size_t>(info.next_scanline) * info.image_width *
                    static_cast<size_t>(components);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes(reinterpret_cast<char*>(memory), size);
  std::free(memory);
  return bytes;
}

std::string write(const TemporaryFolder& folder, const std::string& name,
                  const std::string& bytes) {
  const std::filesystem::path path = std::filesystem::path(folder.path()) / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
  return path.string();
}

template <class Work>
std::string message_of(Work work) {
  try {
    work();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

ImagesSource source_of(const TemporaryFolder& folder, int64_t height = 4, int64_t width = 4,
                       int64_t channels = 3) {
  ImagesSource source;
  source.folder = folder.path();
  source.height = height;
  source.width = width;
  source.channels = channels;
  return source;
}

}  // namespace

TEST_CASE("PNG is read exactly, in colours, grey, with transparency and 16 bits") {
  TemporaryFolder folder;
  const Picture picture = pattern(5, 7);
  const Picture read = read_picture(write(folder, "a.png", png_of(picture)));
  CHECK(read.height == 5);
  CHECK(read.width == 7);
  CHECK(read.rgb == picture.rgb);
  const Picture grey =
      read_picture(write(folder, "g.png", png_bytes({0, 100, 255}, 1, 3, PNG_FORMAT_GRAY)));
  CHECK(grey.rgb == std::vector<uint8_t>{0, 0, 0, 100, 100, 100, 255, 255, 255});
  const Picture clear = read_picture(
      write(folder, "t.png", png_bytes({9, 8, 7, 255, 200, 100, 50, 0}, 1, 2, PNG_FORMAT_RGBA)));
  CHECK(clear.rgb == std::vector<uint8_t>{9, 8, 7, 0, 0, 0});
}

TEST_CASE("JPEG is read up to its own loss") {
  TemporaryFolder folder;
  Picture smooth{24, 17, {}, {}};
  for (int64_t y = 0; y < 24; ++y) {
    for (int64_t x = 0; x < 17; ++x) {
      for (int64_t value : {8 * y, 10 * x, 5 * (x + y)}) {
        smooth.rgb.push_back(static_cast<uint8_t>(value));
      }
    }
  }
  const Picture read = read_picture(write(folder, "a.jpg", jpeg_of(smooth)));
  REQUIRE(read.rgb.size() == smooth.rgb.size());
  double error = 0;
  for (size_t i = 0; i < read.rgb.size(); ++i) error += std::abs(read.rgb[i] - smooth.rgb[i]);
  CHECK(error / static_cast<double>(read.rgb.size()) < 4);  // of 255, at quality 95
}

TEST_CASE("every truncated picture is refused with its path") {
  TemporaryFolder folder;
  for (const std::string& whole : {png_of(pattern(9, 8)), jpeg_of(pattern(24, 17))}) {
    const bool png = whole[1] == 'P';
    // What follows the pixels of a PNG, a check sum and an empty chunk, is not missed.
    const size_t enough = whole.size() - (png ? 16 : 2);
    for (size_t keep = 0; keep < enough; keep += whole.size() / 29 + 1) {
      CAPTURE(keep);
      const std::string path = write(folder, "cut.png", whole.substr(0, keep));
      const std::string message = message_of([&] { read_picture(path); });
      CHECK(message.starts_with(path + ": "));
      if (keep < 4) continue;
      CHECK(message.find(png ? "the PNG picture is damaged or truncated"
                             : "the JPEG picture is damaged or truncated") != std::string::npos);
    }
  }
}

TEST_CASE("a picture in the colours of print is refused as what it is") {
  TemporaryFolder folder;
  const std::string path = write(folder, "print.jpg", jpeg_of(pattern(8, 8), 4));
  CHECK(message_of([&] { read_picture(path); }) ==
        path +
            ": the JPEG picture has the colours of print (CMYK)\n"
            "  expected  a picture in RGB or gray");
}

TEST_CASE("what is no picture is refused, and so are bytes that were changed") {
  TemporaryFolder folder;
  const std::string text = write(folder, "a.png", "hello");
  CHECK(message_of([&] { read_picture(text); }) ==
        text +
            ": byte 0: this is not a picture that can be read\n"
            "  expected  PNG (89 50 4e 47) or JPEG (ff d8 ff)\n"
            "  got       68 65 6c 6c");
  std::string damaged = png_of(pattern(9, 8));
  damaged[damaged.size() / 2] ^= 0x55;
  const std::string path = write(folder, "b.png", damaged);
  CHECK(message_of([&] { read_picture(path); }).find("damaged or truncated") != std::string::npos);
  // A header that says 2^31 - 1 × 2^31 - 1 pixels takes no memory.
  std::string lying = png_of(pattern(1, 1));
  for (size_t i = 16; i < 24; ++i) lying[i] = i % 4 == 0 ? '\x7f' : '\xff';
  const std::string huge = write(folder, "c.png", lying);
  CHECK(message_of([&] { read_picture(huge); }).starts_with(huge));
}

TEST_CASE("the same size is the same picture; constants stay what they are") {
  const Picture picture = pattern(5, 7);
  CHECK(resize(picture, 5, 7, 3, Fit::crop) == picture.rgb);
  CHECK(resize(picture, 5, 7, 3, Fit::stretch) == picture.rgb);
  const Picture grey{6, 9, {}, std::vector<uint8_t>(6 * 9 * 3, 77)};
  for (const auto& [height, width] : {std::pair{1, 1}, {3, 20}, {13, 2}, {6, 9}, {31, 31}}) {
    for (int64_t channels : {1, 3}) {
      for (Fit fit : {Fit::crop, Fit::stretch}) {
        const auto small = resize(grey, height, width, channels, fit);
        CHECK(small == std::vector<uint8_t>(static_cast<size_t>(height * width * channels), 77));
      }
    }
  }
}

TEST_CASE("shrinking counts every pixel, enlarging is bilinear") {
  // A checkerboard of single pixels becomes grey, not black or white. Away from the border all
  // weights are symmetric, so that the mean is met to half a unit.
  Picture board{16, 16, {}, {}};
  for (int64_t i = 0; i < 16 * 16; ++i) {
    const bool white = (i / 16 + i % 16) % 2 == 0;
    for (int c = 0; c < 3; ++c) board.rgb.push_back(white ? 255 : 0);
  }
  for (uint8_t value : resize(board, 4, 4, 1, Fit::stretch)) CHECK(std::abs(value - 127.5) <= 1);
  // Two pixels at four places: 0, then a quarter and three quarters of the way, then 200.
  const Picture two{1, 2, {}, {0, 0, 0, 200, 200, 200}};
  CHECK(resize(two, 1, 4, 1, Fit::stretch) == std::vector<uint8_t>{0, 50, 150, 200});
  const Picture red{1, 1, {}, {255, 0, 0}};
  CHECK(resize(red, 1, 1, 1, Fit::crop) == std::vector<uint8_t>{76});  // 0.299 · 255
}

TEST_CASE("crop shows the middle") {
  Picture wide{2, 6, {}, {}};
  for (int64_t i = 0; i < 12; ++i) {
    for (int c = 0; c < 3; ++c) wide.rgb.push_back(static_cast<uint8_t>(10 * (i % 6)));
  }
  CHECK(resize(wide, 2, 2, 1, Fit::crop) == std::vector<uint8_t>{20, 30, 20, 30});
}

TEST_CASE("a folder of pictures is a table, in the order of names") {
  TemporaryFolder folder;
  write(folder, "dog/2.PNG", png_of(pattern(4, 4, 1)));
  write(folder, "dog/10.jpeg", jpeg_of(pattern(4, 4, 2)));
  write(folder, "cat/a.png", png_of(pattern(4, 4, 3)));
  write(folder, "cat/notes.txt", "no picture");
  write(folder, "cat/.hidden.png", "no picture");
  write(folder, ".git/x.png", "no picture");
  write(folder, "read me.txt", "no class");
  const ImageFiles files = list_images(source_of(folder));
  CHECK(files.classes == std::vector<std::string>{"cat", "dog"});
  CHECK(files.labels == std::vector<size_t>{0, 1, 1});
  CHECK(files.paths[1].ends_with("dog/10.jpeg"));
  DataSpec spec;
  spec.train = Source{source_of(folder), {}};
  FieldSpec label;
  label.name = "label";
  label.prepare.push_back({PrepareStep::Kind::category, 0, 1, false});
  label.vocabulary = image_classes(source_of(folder));
  spec.fields = {label};
  const ProbeResult probed = probe(spec);
  CHECK(probed.train_rows == 3);
  CHECK(probed.find("image")->row_shape == std::vector<int64_t>{4, 4, 3});
  CHECK(probed.find("image")->dtype == abi::DType::u8);
  CHECK(probed.find("label")->classes == 2);
  const Dataset data = load(spec);
  REQUIRE(data.train.size() == 3);
  const Table& table = *data.train.table;
  CHECK(std::memcmp(table.find("image")->bytes.data(), pattern(4, 4, 3).rgb.data(), 48) == 0);
  const auto* labels = table.find("label")->bytes.as<int32_t>();
  CHECK(std::vector<int32_t>(labels, labels + 3) == std::vector<int32_t>{0, 1, 1});
  CHECK(table.place(2).ends_with("dog/2.PNG"));
}

TEST_CASE("folders that are not what they should be") {
  TemporaryFolder folder;
  const ImagesSource source = source_of(folder);
  CHECK(message_of([&] { list_images(source); }) ==
        folder.path() +
            ": there are no classes in this folder\n"
            "  expected  a sub-folder of pictures for each class");
  write(folder, "cat/a.txt", "x");
  CHECK(message_of([&] { list_images(source); }) ==
        folder.path() +
            "/cat: there are no pictures in this folder\n"
            "  expected  files called .png, .jpg or .jpeg");
  ImagesSource missing = source;
  missing.folder += "/nothing";
  CHECK(message_of([&] {
          list_images(missing);
        }).starts_with(missing.folder + ": there is no such folder"));
  CHECK(image_classes(missing).empty());
}

TEST_CASE("of many bad pictures the first in order is named, whatever the threads do") {
  TemporaryFolder folder;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "c/" + std::to_string(100 + i) + ".png";
    write(folder, name, i % 7 == 5 ? "bad" : png_of(pattern(4, 4, i)));
  }
  for (int i = 0; i < 5; ++i) {
    CHECK(message_of([&] {
            read_images(source_of(folder), 0);
          }).starts_with(folder.path() + "/c/105.png: "));
  }
  CHECK(message_of([&] {
          read_images(source_of(folder, 64, 64), 1000);
        }).find("does not fit into memory") != std::string::npos);
}
