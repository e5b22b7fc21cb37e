#include "runtime/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <tuple>
#include <utility>

#include "runtime/data/error.h"

namespace nnc::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view temporary_prefix = ".nnc-";
constexpr size_t temporary_digits = 16;

[[noreturn]] void fail(const std::string& path, const std::string& what, int error) {
  const char* advice = error == ENOSPC || error == EDQUOT ? "free space on the disk" : "";
  throw DataError(path, "", fmt::format("{}: {}", what, std::strerror(error)), advice);
}

[[noreturn]] void cannot_write(const std::string& path, int error) {
  fail(path, "cannot be written", error);
}

// A file or a folder that is open.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }
  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t done = ::write(number_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(done));
    }
    return true;
  }
  // EINVAL, EBADF: nothing that could be synced, such as a folder that may not be read.
  bool sync() const { return ::fsync(number_) == 0 || errno == EINVAL || errno == EBADF; }
  bool close() { return number_ < 0 || ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

Descriptor open_folder_at(int folder, const std::string& path, int flags) {
  flags |= O_DIRECTORY | O_CLOEXEC;
  Descriptor opened(::openat(folder, path.c_str(), flags | O_RDONLY));
  // It may be written to without being read.
  if (!opened.is_open() && errno == EACCES) {
    opened = Descriptor(::openat(folder, path.c_str(), flags | O_PATH));
  }
  return opened;
}

void make_folders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail(path, "the folder cannot be made", error.value());
}

// A folder inside one of ours, made if it is not there.
Descriptor open_inside(const Descriptor& folder, const std::string& name, const std::string& path) {
  if (::mkdirat(folder.number(), name.c_str(), 0777) == 0) {
    folder.sync();
  } else if (errno != EEXIST) {
    fail(path, "the folder cannot be made", errno);
  }
  Descriptor opened = open_folder_at(folder.number(), name, O_NOFOLLOW);
  if (opened.is_open()) return opened;
  if (errno != ELOOP && errno != ENOTDIR) cannot_write(path, errno);
  struct stat status {};
  const bool is_link =
      ::fstatat(folder.number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISLNK(status.st_mode);
  throw DataError(path, "", "cannot be written", "a folder",
                  is_link ? "a link, which is not followed" : "a file");
}

// An open folder and the name of a file in it.
struct Place {
  Descriptor folder;
  std::string name;
};

Place open_place(const std::string& folder, const std::string& name) {
  Place place{open_folder_at(AT_FDCWD, folder, 0), name};
  if (!place.folder.is_open()) cannot_write(folder, errno);
  for (size_t slash; (slash = place.name.find('/')) != std::string::npos;) {
    place.folder = open_inside(place.folder, place.name.substr(0, slash),
                               folder + "/" + name.substr(0, name.rfind('/')));
    place.name.erase(0, slash + 1);
  }
  return place;
}

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

Place place_of(const Destination& to) {
  if (to.is_ours()) {
    make_folders(to.folder());
    return open_place(to.folder(), to.name());
  }
  const fs::path target = behind_links(to.path());
  const std::string folder = target.has_parent_path() ? target.parent_path().string() : ".";
  make_folders(folder);
  return open_place(folder, target.filename().string());
}

// Nobody can have put a file or link of this name there.
std::string temporary_name() {
  uint64_t number = 0;
  // Waits at most for the system to have started; there is no other error for eight bytes.
  while (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
    if (errno != EINTR) fail("getrandom", "no random numbers", errno);
  }
  return fmt::format("{}{:0{}x}", temporary_prefix, number, temporary_digits);
}

// A file beside the one that it will become; gone unless it does.
class Draft {
 public:
  Draft(const Place& place, std::string path)
      : place_(place), path_(std::move(path)), name_(temporary_name()), file_(open()) {
    if (!file_.is_open()) cannot_write(path_, errno);
  }
  ~Draft() {
    if (file_.is_open()) ::unlinkat(place_.folder.number(), name_.c_str(), 0);
  }

  void write(std::span<const std::string_view> parts) {
    for (std::string_view part : parts) check(file_.write(part));
  }
  void become_the_file() {
    check(file_.sync());
    const int folder = place_.folder.number();
    check(::renameat(folder, name_.c_str(), folder, place_.name.c_str()) == 0);
    const bool closed = file_.close();
    if (!closed || !place_.folder.sync()) cannot_write(path_, errno);
  }

 private:
  void check(bool good) const {
    if (!good) cannot_write(path_, errno);
  }
  // With the mode of the file that it replaces, else with what the umask leaves.
  Descriptor open() const {
    struct stat old {};
    const bool replaces =
        ::fstatat(place_.folder.number(), place_.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(old.st_mode);
    Descriptor file(::openat(place_.folder.number(), name_.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                             replaces ? 0600 : 0666));
    // Where the file system knows no modes there is none to keep.
    if (file.is_open() && replaces) std::ignore = ::fchmod(file.number(), old.st_mode & 0777);
    return file;
  }

  const Place& place_;
  std::string path_;
  std::string name_;
  Descriptor file_;
};

void write_into(const std::string& path, std::span<const std::string_view> parts) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  bool good = file.is_open();
  for (std::string_view part : parts) good = good && file.write(part);
  if (!good || !file.close()) cannot_write(path, errno);
}

}  // namespace

void write_atomically(const Destination& to, std::span<const std::string_view> parts) {
  if (!to.is_ours() && is_device(to.path())) return write_into(to.path(), parts);
  const Place place = place_of(to);
  Draft draft(place, to.path());
  draft.write(parts);
  draft.become_the_file();
}

void write_atomically(const Destination& to, std::string_view text) {
  write_atomically(to, std::span(&text, 1));
}

void append_text(const Destination& to, std::string_view text, Durable durable) {
  const Place place = place_of(to);
  Descriptor file(::openat(place.folder.number(), place.name.c_str(),
                           O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file.is_open() && errno == ELOOP) {
    throw DataError(to.path(), "", "cannot be written", "a file", "a link, which is not followed");
  }
  if (!file.is_open() || !file.write(text)) cannot_write(to.path(), errno);
  if (durable == Durable::yes && !file.sync()) cannot_write(to.path(), errno);
  if (!file.close()) cannot_write(to.path(), errno);
}

bool is_temporary_name(std::string_view name) {
  return name.size() == temporary_prefix.size() + temporary_digits &&
         name.starts_with(temporary_prefix) &&
         name.find_first_not_of("0123456789abcdef", temporary_prefix.size()) ==
             std::string_view::npos;
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
