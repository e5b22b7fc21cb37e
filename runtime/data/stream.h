// Bytes of a file in order, decompressed on the way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace nnc::runtime {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Up to `bytes` bytes; fewer only at the end. Throws DataError for damaged compressed data and
  // for a file that cannot be read.
  virtual size_t read(void* to, size_t bytes) = 0;
  // How many bytes will come, as far as that is known; else 0.
  virtual uint64_t size_hint() const { return 0; }
  // The stream ended although its compressed data says that more follows.
  virtual bool truncated() const { return false; }
};

// An open file; closes itself.
class FileHandle {
 public:
  // Throws DataError: no such file, no permission, a folder, a pipe or a device. Data are read more
  // than once, and what has no end would never be read.
  explicit FileHandle(std::string path);
  ~FileHandle();
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  // Bytes at `offset`; fewer only at the end of the file. Throws DataError.
  size_t read_at(uint64_t offset, void* to, size_t bytes) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

enum class Compression : uint8_t { none, deflate, gzip };

// `length` bytes of the file from `offset`, decompressed.
std::unique_ptr<ByteStream> open_part(std::shared_ptr<const FileHandle> file, uint64_t offset,
                                      uint64_t length, Compression compression);

// The whole file; gzip is recognised by its first bytes. Throws DataError, for an empty file too.
std::unique_ptr<ByteStream> open_stream(const std::string& path);

// The whole file as text. Throws DataError when it is empty, truncated or larger than `max_bytes`
// (0: no limit).
std::string read_all(const std::string& path, uint64_t max_bytes = 0);
// The same of a stream over that file.
std::string read_all(ByteStream& stream, const std::string& path, uint64_t max_bytes);

}  // namespace nnc::runtime
