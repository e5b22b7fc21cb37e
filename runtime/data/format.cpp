#include "runtime/data/format.h"

#include <filesystem>

#include "runtime/data/stream.h"

namespace nnc::runtime {
namespace {

struct Signature {
  size_t offset;
  std::string_view bytes;
  Format format;
  const char* name;
};

// A literal with zeros in it keeps them.
template <size_t n>
constexpr std::string_view sv(const char (&text)[n]) {
  return {text, n - 1};
}

// Long enough that no table of numbers or names begins with one.
const Signature signatures[] = {
    {0, sv("\x93NUMPY"), Format::npy, "an npy file"},
    {0, sv("PK\x03\x04"), Format::zip, "a zip archive"},
    {0, sv("PK\x05\x06"), Format::zip, "an empty zip archive"},
    {0, sv("\x89PNG\r\n\x1a\n"), Format::picture, "a PNG picture"},
    {0, sv("\xff\xd8\xff"), Format::picture, "a JPEG picture"},
    {0,
     sv("\xfd"
        "7zXZ\0"),
     Format::other, "an xz file"},
    {0, sv("BZh91AY&SY"), Format::other, "a bzip2 file"},
    {0, sv("\x28\xb5\x2f\xfd"), Format::other, "a zstd file"},
    {0, sv("7z\xbc\xaf\x27\x1c"), Format::other, "a 7z archive"},
    {0, sv("Rar!\x1a\x07"), Format::other, "a rar archive"},
    {257, sv("ustar"), Format::other, "a tar archive"},
    {0, sv("PAR1"), Format::other, "a Parquet file"},
    {0, sv("ARROW1"), Format::other, "a Feather file"},
    {0, sv("\x89HDF\r\n\x1a\n"), Format::other, "an HDF5 file"},
    {0, sv("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), Format::other, "a spreadsheet of old Excel"},
    {0, sv("SQLite format 3\0"), Format::other, "a SQLite file"},
    {0, sv("MATLAB 5.0 MAT-file"), Format::other, "a file of MATLAB"},
    {0, sv("%PDF-"), Format::other, "a PDF"},
    {0, sv("GIF89a"), Format::other, "a GIF picture"},
    {0, sv("GIF87a"), Format::other, "a GIF picture"},
    {0, sv("II*\0"), Format::other, "a TIFF picture"},
    {0, sv("MM\0*"), Format::other, "a TIFF picture"},
    {8, sv("WEBPVP8"), Format::other, "a WebP picture"},
};

const Signature* signature_of(std::string_view bytes) {
  for (const Signature& known : signatures)
    if (bytes.size() >= known.offset && bytes.substr(known.offset).starts_with(known.bytes))
      return &known;
  return nullptr;
}

// 00 00, one of the six types, one axis or more.
bool is_idx(std::string_view bytes) {
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0 || bytes[3] == 0) return false;
  const int type = bytes[2];
  return type == 8 || type == 9 || (type >= 11 && type <= 14);
}

}  // namespace

Format format_of_bytes(std::string_view bytes) {
  if (const Signature* known = signature_of(bytes)) return known->format;
  return is_idx(bytes) ? Format::idx : Format::text;
}

std::string name_of_format(std::string_view bytes) {
  if (const Signature* known = signature_of(bytes)) return known->name;
  return is_idx(bytes) ? "an idx file" : "";
}

Format format_of(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return Format::folder;
  const std::unique_ptr<ByteStream> stream = open_stream(path);
  std::string bytes(format_bytes, '\0');
  bytes.resize(stream->read(bytes.data(), bytes.size()));
  return format_of_bytes(bytes);
}

}  // namespace nnc::runtime
