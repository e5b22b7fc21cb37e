#include "tests/fuzz/seed_files.h"

#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include "runtime/data/npy.h"
#include "runtime/data/zip.h"

namespace nnc::fuzz {

namespace {

constexpr int side = 24;

std::vector<unsigned char> pixels() {
  std::vector<unsigned char> result(3 * side * side);
  for (size_t i = 0; i < result.size(); ++i) result[i] = static_cast<unsigned char>(i * 37 % 251);
  return result;
}

std::string png_of(png_uint_32 format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = side;
  image.format = format;
  const std::vector<unsigned char> data = pixels();
  std::string bytes(size_t{1} << 14, '\0');
  png_alloc_size_t size = bytes.size();
  png_image_write_to_memory(&image, bytes.data(), &size, 0, data.data(), 0, nullptr);
  bytes.resize(size);
  return bytes;
}

std::string jpeg_of(bool progressive) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &data, &size);
  info.image_width = info.image_height = side;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  if (progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  std::vector<unsigned char> rgb = pixels();
  for (int y = 0; y < side; ++y) {
    JSAMPROW row = rgb.data() + 3 * side * y;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string bytes(reinterpret_cast<const char*>(data), size);
  jpeg_destroy_compress(&info);
  std::free(data);
  return bytes;
}

std::string npy_of(abi::DType dtype, const std::vector<int64_t>& shape, size_t bytes) {
  std::string data;
  for (size_t i = 0; i < bytes; ++i) data += static_cast<char>(i % 7);
  return runtime::npy_text(dtype, shape, data.data());
}

}  // namespace

std::string gzipped(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string result(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

std::vector<SeedFile> seed_files() {
  const std::string x = npy_of(abi::DType::f32, {10, 3}, 120);
  const std::string wide = npy_of(abi::DType::i64, {10, 3}, 240);
  const std::string bytes = npy_of(abi::DType::u8, {10, 3}, 30);
  std::string idx("\0\0\x08\x02\0\0\0\x0A\0\0\0\x03", 12);
  idx.append(30, '\1');
  std::string doubles("\0\0\x0E\x02\0\0\0\x0A\0\0\0\x03", 12);
  doubles.append(240, '\0');
  return {
      {Format::csv, "a,b,c\n1,2,3\n4.5,-6e3,7\n8,,9\n\"10\",11,12\n"},
      {Format::csv, "\xEF\xBB\xBF\"a\",b,\"c \"\"d\"\"\",kind\r\n1,2,3,red\r\n4,5,6,\"bl,ue\"\r\n"},
      {Format::npy, x},
      {Format::npy, wide},
      {Format::npy, bytes},
      {Format::npz, runtime::zip_text({{"x.npy", x}, {"y.npy", wide}})},
      {Format::idx, idx},
      {Format::idx, doubles},
      {Format::png, png_of(PNG_FORMAT_RGB)},
      {Format::png, png_of(PNG_FORMAT_GRAY)},
      {Format::png, png_of(PNG_FORMAT_GA)},
      {Format::jpeg, jpeg_of(false)},
      {Format::jpeg, jpeg_of(true)}};
}

}  // namespace nnc::fuzz
