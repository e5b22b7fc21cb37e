#include "compiler/jit/cache.h"

#include <fcntl.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/Support/BLAKE3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>

#include "compiler/jit/build_id.h"
#include "compiler/jit/cache_format.h"
#include "compiler/jit/jit.h"

namespace nnc::jit {

namespace fs = std::filesystem;

namespace {

constexpr const char* extension = ".program";
constexpr const char* temporary = ".temporary";

// Nobody else may have been able to write there: what is read is executed.
bool is_private(const struct stat& status) {
  return status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

Key cache_key(const std::string& identity, const kernel::Target& target) {
  llvm::BLAKE3 hasher;
  hasher.update(std::string("llvm " LLVM_VERSION_STRING " build ") + build_id() + " isa " +
                kernel::name_of(target.isa) + (target.fma ? " fma" : "") +
                (target.core == kernel::Core::intel ? " intel" : "") + "\n" + identity);
  return hasher.final<32>();
}

std::string cache_folder() {
  // A relative path in XDG_CACHE_HOME is to be ignored (XDG Base Directory Specification).
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && xdg[0] == '/') {
    return std::string(xdg) + "/nnc";
  }
  if (const char* home = std::getenv("HOME"); home && home[0] == '/') {
    return std::string(home) + "/.cache/nnc";
  }
  return {};
}

CachedProgram::CachedProgram(CachedProgram&& other) noexcept
    : program(std::move(other.program)), mapping_(other.mapping_), bytes_(other.bytes_) {
  other.mapping_ = nullptr;
}

CachedProgram::~CachedProgram() {
  if (mapping_) munmap(mapping_, bytes_);
}

Cache::Cache(std::string folder, int64_t limit_bytes)
    : folder_(folder.empty() ? cache_folder() : std::move(folder)), limit_bytes_(limit_bytes) {}

std::string Cache::path_of(const Key& key) const {
  std::string path = folder_ + "/";
  for (uint8_t byte : key) {
    path += "0123456789abcdef"[byte >> 4];
    path += "0123456789abcdef"[byte & 15];
  }
  return path + extension;
}

CachedProgram Cache::read(const Key& key) const {
  CachedProgram cached;
  struct stat status;
  if (folder_.empty() || stat(folder_.c_str(), &status) != 0 || !is_private(status)) return cached;
  File file(open(path_of(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0 || fstat(file.get(), &status) != 0) return cached;
  if (!S_ISREG(status.st_mode) || !is_private(status) || status.st_size <= 0) return cached;
  const auto bytes = static_cast<size_t>(status.st_size);
  void* mapping = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.get(), 0);
  if (mapping == MAP_FAILED) return cached;
  cached.mapping_ = mapping;
  cached.bytes_ = bytes;
  if (!unpack({static_cast<const char*>(mapping), bytes}, key, cached.program)) {
    munmap(mapping, bytes);
    cached.mapping_ = nullptr;
    return cached;
  }
  futimens(file.get(), nullptr);  // used now: evicted last
  return cached;
}

bool Cache::make_folder() const {
  if (folder_.empty()) return false;
  std::error_code error;
  const fs::path parent = fs::path(folder_).parent_path();
  if (!parent.empty() && !fs::exists(parent, error)) {
    fs::create_directories(parent.parent_path(), error);
    mkdir(parent.c_str(), 0700);  // as the XDG rules want it
  }
  mkdir(folder_.c_str(), 0700);
  struct stat status;
  return stat(folder_.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && is_private(status);
}

void Cache::write(const Key& key, const Program& program) const {
  if (!make_folder()) return;
  static std::atomic<int> counter{0};
  const std::string draft =
      folder_ + "/" + std::to_string(getpid()) + "-" + std::to_string(counter++) + temporary;
  {
    File file(open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return;
    if (!write_all(file.get(), pack(key, program))) {
      unlink(draft.c_str());
      return;
    }
  }
  if (rename(draft.c_str(), path_of(key).c_str()) != 0) unlink(draft.c_str());
  evict();
}

void Cache::evict() const {
  struct Entry {
    fs::path path;
    fs::file_time_type time;
    int64_t bytes;
  };
  std::vector<Entry> entries;
  int64_t total = 0;
  std::error_code error;
  const auto now = fs::file_time_type::clock::now();
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;  // another process may remove entries at the same time
    const auto time = it->last_write_time(gone);
    const auto bytes = static_cast<int64_t>(it->file_size(gone));
    if (gone) continue;
    if (it->path().extension() == extension) {
      entries.push_back({it->path(), time, bytes});
      total += bytes;
    } else if (it->path().extension() == temporary && now - time > std::chrono::hours(1)) {
      fs::remove(it->path(), gone);  // left by a process that was killed
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.time < b.time; });
  for (const Entry& entry : entries) {
    if (total <= limit_bytes_) break;
    if (fs::remove(entry.path, error)) total -= entry.bytes;
  }
}

}  // namespace nnc::jit
