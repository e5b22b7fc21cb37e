#include "tools/workbench/spooled_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "runtime/data/error.h"

namespace nnc::workbench {

namespace {

// All bytes from one descriptor to the other; false with errno set if one of them fails.
bool copy_all(int from, int to) {
  std::vector<char> buffer(size_t{1} << 16);
  for (;;) {
    const ssize_t got = read(from, buffer.data(), buffer.size());
    if (got == 0) return true;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    for (ssize_t done = 0; done < got;) {
      const ssize_t put = write(to, buffer.data() + done, static_cast<size_t>(got - done));
      if (put < 0 && errno != EINTR) return false;
      if (put > 0) done += put;
    }
  }
}

}  // namespace

bool is_stream(const std::string& path) {
  struct stat status {};
  return path == "-" || (stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode));
}

SpooledInput::SpooledInput(const std::string& path) {
  const std::string shown = path == "-" ? "standard input" : path;
  const std::string pattern = (std::filesystem::temp_directory_path() / "nnc-rows-XXXXXX").string();
  std::vector<char> name(pattern.begin(), pattern.end());
  name.push_back(0);
  const int from = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int to = from < 0 ? -1 : mkostemp(name.data(), O_CLOEXEC);
  if (to >= 0) copy_ = name.data();
  const bool copied = to >= 0 && copy_all(from, to);
  const std::string reason = std::strerror(errno);
  if (to >= 0) close(to);
  if (from > STDIN_FILENO) close(from);
  if (copied) return;
  if (to >= 0) unlink(copy_.c_str());
  throw runtime::DataError(shown, "", "cannot be kept for reading: " + reason,
                           "room in the folder for temporary files (TMPDIR)");
}

SpooledInput::~SpooledInput() { unlink(copy_.c_str()); }

}  // namespace nnc::workbench
