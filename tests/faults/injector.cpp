// Preloaded into nnc: makes one of its calls that change files fail, or kills it there.
//
//   FAULT_AT     which call, counted from 1 over all threads; 0: none
//   FAULT        ENOSPC or EIO: the call fails so; KILL: the process is killed before it
//   FAULT_STAYS  1: every later call fails too, as on a disk that stays full
//   FAULT_COUNT  a file that gets the number of calls when the process ends by itself
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

std::atomic<long> calls{0};

long number(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::atol(text);
}

// Whether this call is to fail; errno says how.
bool fails() {
  static const long at = number("FAULT_AT");
  static const bool stays = number("FAULT_STAYS") != 0;
  const long call = ++calls;
  if (at == 0 || call < at || (call > at && !stays)) return false;
  const char* fault = std::getenv("FAULT");
  if (fault != nullptr && std::strcmp(fault, "KILL") == 0) kill(getpid(), SIGKILL);
  errno = fault != nullptr && std::strcmp(fault, "EIO") == 0 ? EIO : ENOSPC;
  return true;
}

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

mode_t mode_of(int flags, va_list arguments) {
  const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return makes ? va_arg(arguments, mode_t) : 0;
}

struct Report {
  ~Report() {
    const char* path = std::getenv("FAULT_COUNT");
    if (path == nullptr) return;
    if (std::FILE* file = std::fopen(path, "w")) {
      std::fprintf(file, "%ld\n", calls.load());
      std::fclose(file);
    }
  }
} report;

}  // namespace

extern "C" {

ssize_t write(int file, const void* data, size_t bytes) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  if (file > STDERR_FILENO && fails()) return -1;
  return next(file, data, bytes);
}

int fsync(int file) {
  static const auto next = real<int (*)(int)>("fsync");
  return fails() ? -1 : next(file);
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  static const auto next = real<int (*)(int, const char*, int, const char*)>("renameat");
  return fails() ? -1 : next(from_folder, from, to_folder, to);
}

int rename(const char* from, const char* to) noexcept {
  static const auto next = real<int (*)(const char*, const char*)>("rename");
  return fails() ? -1 : next(from, to);
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto next = real<int (*)(const char*, mode_t)>("mkdir");
  return fails() ? -1 : next(path, mode);
}

int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  static const auto next = real<int (*)(int, const char*, mode_t)>("mkdirat");
  return fails() ? -1 : next(folder, path, mode);
}

int open(const char* path, int flags, ...) {
  static const auto next = real<int (*)(const char*, int, ...)>("open");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  if ((flags & O_CREAT) != 0 && fails()) return -1;
  return next(path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  static const auto next = real<int (*)(int, const char*, int, ...)>("openat");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  if ((flags & O_CREAT) != 0 && fails()) return -1;
  return next(folder, path, flags, mode);
}

}  // extern "C"
