#include "runtime/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "runtime/data/error.h"

namespace nnc::runtime {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what, int error) {
  const char* advice = error == ENOSPC || error == EDQUOT ? "free space on the disk" : "";
  throw DataError(path, "", fmt::format("{}: {}", what, std::strerror(error)), advice);
}

// A descriptor that is written to the end or reports the error of the system.
class OutputFile {
 public:
  OutputFile(const std::string& path, int flags)
      : path_(path),
        descriptor_(::open(path.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) {}
  ~OutputFile() { close(); }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t done = ::write(descriptor_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(done));
    }
    return true;
  }
  bool sync() { return ::fsync(descriptor_) == 0 || errno == EINVAL; }
  bool close() {
    if (descriptor_ < 0) return true;
    return ::close(std::exchange(descriptor_, -1)) == 0;
  }

 private:
  std::string path_;
  int descriptor_;
};

namespace fs = std::filesystem;

// What a link leads to, be it there or not; anything else itself.
fs::path behind_links(fs::path path) {
  constexpr int most = 40;  // as many as the system follows
  std::error_code error;
  for (int i = 0; i < most && fs::is_symlink(path, error); ++i) {
    const fs::path next = fs::read_symlink(path, error);
    if (error) break;
    path = next.is_absolute() ? next : path.parent_path() / next;
  }
  return path;
}

bool is_device(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::is_other(status) || fs::is_character_file(status) || fs::is_block_file(status) ||
         fs::is_fifo(status);
}

void write_into(const std::string& path, std::span<const std::string_view> parts) {
  OutputFile file(path, 0);
  bool good = file.is_open();
  for (std::string_view part : parts) good = good && file.write(part);
  if (!good || !file.close()) fail(path, "cannot be written", errno);
}

}  // namespace

void write_atomically(const std::string& path, std::span<const std::string_view> parts) {
  const fs::path target = behind_links(path);
  if (is_device(target)) return write_into(path, parts);
  const std::string folder = target.has_parent_path() ? target.parent_path().string() : ".";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(folder, "the folder cannot be made", error.value());
  const std::string temporary =
      fmt::format("{}/.{}.{}", folder, target.filename().string(), ::getpid());
  OutputFile file(temporary, O_TRUNC);
  if (!file.is_open()) fail(path, "cannot be written", errno);
  bool good = true;
  for (std::string_view part : parts) good = good && file.write(part);
  good = good && file.sync();
  int reason = errno;
  if (!file.close() && good) {
    good = false;
    reason = errno;
  }
  if (good && std::rename(temporary.c_str(), target.c_str()) != 0) {
    good = false;
    reason = errno;
  }
  if (!good) {
    ::unlink(temporary.c_str());
    fail(path, "cannot be written", reason);
  }
}

void write_atomically(const std::string& path, std::string_view text) {
  write_atomically(path, std::span(&text, 1));
}

void append_text(const std::string& path, std::string_view text) {
  OutputFile file(path, O_APPEND);
  if (!file.is_open()) fail(path, "cannot be written", errno);
  if (!file.write(text)) fail(path, "cannot be written", errno);
  if (!file.close()) fail(path, "cannot be written", errno);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, "cannot be read", errno);
  std::ostringstream text;
  text << file.rdbuf();
  if (std::filesystem::is_directory(path)) throw DataError(path, "", "cannot be read: a folder");
  return text.str();
}

}  // namespace nnc::runtime
