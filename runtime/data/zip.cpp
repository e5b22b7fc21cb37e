#include "runtime/data/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "runtime/data/error.h"

namespace nnc::runtime {
namespace {

constexpr uint32_t local_magic = 0x04034B50, directory_magic = 0x02014B50, end_magic = 0x06054B50;
constexpr size_t end_bytes = 22, directory_bytes = 46, local_bytes = 30;

uint64_t little_endian(const std::string& text, size_t at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(text[at + i]);
  return value;
}

void append(std::string& text, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value & 0xFF);
}

// The end record stands in the last 22 bytes, or earlier by the length of a comment.
std::string read_directory(const FileHandle& file, uint64_t& entries) {
  const size_t tail_bytes = static_cast<size_t>(std::min<uint64_t>(file.size(), end_bytes + 65535));
  std::string tail(tail_bytes, '\0');
  file.read_at(file.size() - tail_bytes, tail.data(), tail_bytes);
  for (size_t at = tail_bytes < end_bytes ? 0 : tail_bytes - end_bytes + 1; at-- > 0;) {
    if (little_endian(tail, at, 4) != end_magic) continue;
    entries = little_endian(tail, at + 10, 2);
    const uint64_t bytes = little_endian(tail, at + 12, 4);
    const uint64_t offset = little_endian(tail, at + 16, 4);
    if (offset == 0xFFFFFFFF || entries == 0xFFFF) {
      throw DataError(file.path(), "", "zip archives of 4 GB or more cannot be read",
                      "npy files, one for each array");
    }
    if (offset + bytes > file.size()) break;
    std::string directory(static_cast<size_t>(bytes), '\0');
    file.read_at(offset, directory.data(), directory.size());
    return directory;
  }
  throw DataError(file.path(), "", "this is not a zip archive, or it is truncated",
                  "a .npz file of NumPy");
}

// The bytes of an entry, compared with the checksum that the archive has of them.
class CheckedStream : public ByteStream {
 public:
  CheckedStream(std::string path, const ZipEntry& entry, std::unique_ptr<ByteStream> bytes)
      : path_(std::move(path)), entry_(entry), bytes_(std::move(bytes)) {}

  size_t read(void* to, size_t bytes) override {
    const size_t got = bytes_->read(to, bytes);
    if (got > 0) crc_ = crc32_z(crc_, static_cast<const Bytef*>(to), got);
    done_ += got;
    if (done_ > entry_.size || (done_ == entry_.size && crc_ != entry_.crc)) damaged();
    return got;
  }
  bool truncated() const override { return bytes_->truncated() || done_ < entry_.size; }

 private:
  [[noreturn]] void damaged() const {
    const auto shown = [](uint64_t size, uLong crc) {
      return fmt::format("{} bytes with the checksum {:08x}", size, crc);
    };
    throw DataError(path_, "entry '" + entry_.name + "'", "the zip archive is damaged",
                    shown(entry_.size, entry_.crc), shown(done_, crc_));
  }

  std::string path_;
  ZipEntry entry_;
  std::unique_ptr<ByteStream> bytes_;
  uint64_t done_ = 0;
  uLong crc_ = crc32_z(0, nullptr, 0);
};

}  // namespace

ZipFile::ZipFile(const std::string& path) : file_(std::make_shared<const FileHandle>(path)) {
  if (file_->size() == 0) throw DataError(path, "", "the file is empty");
  uint64_t count = 0;
  const std::string directory = read_directory(*file_, count);
  size_t at = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (at + directory_bytes > directory.size() ||
        little_endian(directory, at, 4) != directory_magic) {
      throw DataError(path, "", "the directory of the zip archive is damaged");
    }
    const uint64_t method = little_endian(directory, at + 10, 2);
    const size_t name_bytes = little_endian(directory, at + 28, 2);
    ZipEntry entry;
    entry.name = directory.substr(at + directory_bytes, name_bytes);
    if ((little_endian(directory, at + 8, 2) & 1) != 0 || (method != 0 && method != 8)) {
      throw DataError(path, "entry '" + entry.name + "'", "cannot be read",
                      "stored or deflated, not encrypted", fmt::format("method {}", method));
    }
    entry.deflated = method == 8;
    entry.crc = static_cast<uint32_t>(little_endian(directory, at + 16, 4));
    entry.compressed = little_endian(directory, at + 20, 4);
    entry.size = little_endian(directory, at + 24, 4);
    entry.offset = little_endian(directory, at + 42, 4);
    at += directory_bytes + name_bytes + little_endian(directory, at + 30, 2) +
          little_endian(directory, at + 32, 2);
    entries_.push_back(std::move(entry));
  }
}

const ZipEntry* ZipFile::find(const std::string& name) const {
  for (const ZipEntry& entry : entries_) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::unique_ptr<ByteStream> ZipFile::open(const ZipEntry& entry) const {
  std::string local(local_bytes, '\0');
  if (file_->read_at(entry.offset, local.data(), local_bytes) < local_bytes ||
      little_endian(local, 0, 4) != local_magic) {
    throw DataError(file_->path(), fmt::format("byte {}", entry.offset),
                    "the zip archive is damaged", "the entry '" + entry.name + "'");
  }
  const uint64_t start =
      entry.offset + local_bytes + little_endian(local, 26, 2) + little_endian(local, 28, 2);
  return std::make_unique<CheckedStream>(
      file_->path(), entry,
      open_part(file_, start, entry.compressed,
                entry.deflated ? Compression::deflate : Compression::none));
}

std::string zip_text(const std::vector<ZipContent>& contents) {
  std::string result;
  std::string directory;
  for (const ZipContent& content : contents) {
    std::string common;  // the fields that both headers share, from "version needed" on
    append(common, 20, 2);
    append(common, 0, 2);
    append(common, 0, 2);       // stored
    append(common, 0, 2);       // time 00:00:00
    append(common, 0x0021, 2);  // 1 January 1980, so that equal arrays give equal files
    append(common,
           crc32(0, reinterpret_cast<const Bytef*>(content.bytes.data()),
                 static_cast<uInt>(content.bytes.size())),
           4);
    append(common, content.bytes.size(), 4);
    append(common, content.bytes.size(), 4);
    append(common, content.name.size(), 2);
    append(common, 0, 2);
    append(directory, directory_magic, 4);
    append(directory, 20, 2);
    directory += common;
    append(directory, 0, 10);  // comment, disk, attributes
    append(directory, result.size(), 4);
    directory += content.name;
    append(result, local_magic, 4);
    result += common + content.name + content.bytes;
  }
  const size_t start = result.size();
  result += directory;
  append(result, end_magic, 4);
  append(result, 0, 4);
  append(result, contents.size(), 2);
  append(result, contents.size(), 2);
  append(result, directory.size(), 4);
  append(result, start, 4);
  append(result, 0, 2);
  return result;
}

}  // namespace nnc::runtime
