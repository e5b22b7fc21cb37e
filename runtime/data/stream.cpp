#include "runtime/data/stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "runtime/data/error.h"
#include "runtime/memory_limit.h"

namespace nnc::runtime {
namespace {

class PlainStream : public ByteStream {
 public:
  PlainStream(std::shared_ptr<const FileHandle> file, uint64_t offset, uint64_t length)
      : file_(std::move(file)), offset_(offset), left_(length) {}

  size_t read(void* to, size_t bytes) override {
    const size_t got =
        file_->read_at(offset_, to, static_cast<size_t>(std::min<uint64_t>(bytes, left_)));
    offset_ += got;
    left_ -= got;
    return got;
  }
  uint64_t size_hint() const override { return left_; }
  uint64_t offset() const { return offset_; }

 private:
  std::shared_ptr<const FileHandle> file_;
  uint64_t offset_;
  uint64_t left_;
};

// Deflate data through zlib, straight into the caller's memory.
class InflateStream : public ByteStream {
 public:
  InflateStream(std::string path, PlainStream source, bool gzip, size_t input_bytes)
      : path_(std::move(path)), source_(std::move(source)), gzip_(gzip), input_(input_bytes) {
    if (inflateInit2(&zlib_, gzip ? 31 : -15) != Z_OK) throw std::bad_alloc();
  }
  ~InflateStream() override { inflateEnd(&zlib_); }

  size_t read(void* to, size_t bytes) override {
    constexpr size_t most = size_t{1} << 30;  // zlib counts in 32 bits
    size_t done = 0;
    while (done < bytes && !ended_) {
      if (zlib_.avail_in == 0 && !refill()) break;
      const size_t piece = std::min(bytes - done, most);
      zlib_.next_out = static_cast<Bytef*>(to) + done;
      zlib_.avail_out = static_cast<uInt>(piece);
      const int status = inflate(&zlib_, Z_NO_FLUSH);
      done += piece - zlib_.avail_out;
      if (status == Z_STREAM_END) {
        next_member();
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        damaged();
      }
    }
    return done;
  }
  bool truncated() const override { return truncated_; }

 private:
  bool refill() {
    zlib_.next_in = input_.data();
    zlib_.avail_in = static_cast<uInt>(source_.read(input_.data(), input_.size()));
    if (zlib_.avail_in > 0) return true;
    truncated_ = true;
    ended_ = true;
    return false;
  }
  // A gzip file may hold several members, one after the other.
  void next_member() {
    ended_ = !gzip_;
    if (gzip_ && zlib_.avail_in == 0 && !refill()) truncated_ = false;
    if (ended_) return;
    if (zlib_.next_in[0] == 0x1F) {
      inflateReset(&zlib_);
    } else {
      skip_padding();
    }
  }
  // Zeros may fill the last block of a tape; anything else was not written by gzip.
  void skip_padding() {
    do {
      const Bytef* end = zlib_.next_in + zlib_.avail_in;
      const Bytef* other = std::find_if(zlib_.next_in, const_cast<Bytef*>(end),
                                        [](Bytef byte) { return byte != 0; });
      if (other != end) {
        throw DataError(path_, fmt::format("byte {}", source_.offset() - (end - other)),
                        "the compressed data is damaged", "the end of the file after its last part",
                        fmt::format("a byte {:02x}", *other));
      }
    } while (refill());
    truncated_ = false;
  }
  [[noreturn]] void damaged() {
    throw DataError(path_, fmt::format("byte {}", source_.offset() - zlib_.avail_in),
                    "the compressed data is damaged", "",
                    zlib_.msg != nullptr ? zlib_.msg : "an error of zlib");
  }

  std::string path_;
  PlainStream source_;
  bool gzip_;
  std::vector<Bytef> input_;
  z_stream zlib_{};
  bool ended_ = false;
  bool truncated_ = false;
};

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe, which can be read only once (cat PIPE > FILE makes a file)";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

}  // namespace

FileHandle::FileHandle(std::string path) : path_(std::move(path)) {
  // A pipe that nobody writes to would be waited for.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) {
    const std::string reason = std::strerror(errno);
    if (descriptor_ >= 0) ::close(descriptor_);
    throw DataError(path_, "", "cannot be read: " + reason);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw DataError(path_, "", "cannot be read", "a file", kind_of(status.st_mode));
  }
  size_ = static_cast<uint64_t>(status.st_size);
}

FileHandle::~FileHandle() { ::close(descriptor_); }

size_t FileHandle::read_at(uint64_t offset, void* to, size_t bytes) const {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t got = ::pread(descriptor_, static_cast<char*>(to) + done, bytes - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw DataError(path_, fmt::format("byte {}", offset + done),
                      std::string("cannot be read: ") + std::strerror(errno));
    }
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

std::unique_ptr<ByteStream> open_part(std::shared_ptr<const FileHandle> file, uint64_t offset,
                                      uint64_t length, Compression compression) {
  const std::string path = file->path();
  PlainStream plain(std::move(file), offset, length);
  if (compression == Compression::none) return std::make_unique<PlainStream>(std::move(plain));
  // Headers are probed from a few bytes: start with what a small read would cost anyway.
  return std::make_unique<InflateStream>(path, std::move(plain), compression == Compression::gzip,
                                         size_t{1} << 16);
}

std::unique_ptr<ByteStream> open_stream(const std::string& path) {
  auto file = std::make_shared<const FileHandle>(path);
  unsigned char magic[2] = {};
  const size_t got = file->read_at(0, magic, 2);
  if (got == 0) throw DataError(path, "", "the file is empty");
  const bool gzip = got == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
  const uint64_t size = file->size();
  return open_part(std::move(file), 0, size, gzip ? Compression::gzip : Compression::none);
}

std::string read_all(const std::string& path, uint64_t max_bytes) {
  return read_all(*open_stream(path), path, max_bytes);
}

std::string read_all(ByteStream& stream, const std::string& path, uint64_t max_bytes) {
  std::string text;
  size_t size = 0;
  // One byte more than there should be: where it stays empty, that was the end.
  size_t room = std::max<size_t>(stream.size_hint() + 1, size_t{1} << 16);
  for (;; room *= 2) {
    if (max_bytes > 0) room = std::min<size_t>(room, max_bytes + 1);
    text.resize(room);
    size += stream.read(text.data() + size, room - size);
    if (size < room) break;
    if (max_bytes > 0 && size > max_bytes) {
      throw DataError(path, "", "the file does not fit into the memory limit",
                      at_most_memory(max_bytes));
    }
  }
  text.resize(size);
  if (stream.truncated()) {
    throw DataError(path, fmt::format("after byte {} of its contents", size),
                    "the compressed file is truncated");
  }
  if (text.empty()) throw DataError(path, "", "the file is empty");
  return text;
}

}  // namespace nnc::runtime
