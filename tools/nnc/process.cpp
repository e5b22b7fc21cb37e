#include "tools/nnc/process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include "compiler/jit/jit.h"
#include "runtime/memory_limit.h"
#include "tools/nnc/exit.h"

namespace nnc::tool {
namespace {

// Without memory of its own.
[[noreturn]] void end_with(std::string_view words) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, words.data(), words.size());
  _exit(static_cast<int>(Exit::failed));
}

// Opened the other way round: using one is an error, as it would be if it were closed.
void open_standard_streams() {
  for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) >= 0) continue;
    [[maybe_unused]] const int opened =
        open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// So much of the stack LLVM may need.
constexpr size_t stack_bytes = size_t{2} << 20;

// Where the stack ends, the system maps all that lies above: the memory itself comes when it is
// used, but the address space is ours.
__attribute__((noinline)) void touch(size_t bytes) {
  volatile auto* end = static_cast<volatile char*>(__builtin_alloca(bytes));
  end[0] = 0;
}

// A stack that cannot grow is a signal; no memory at the start has words.
void take_stack() {
  rlimit limit{};
  size_t bytes = stack_bytes;
  if (getrlimit(RLIMIT_STACK, &limit) == 0) bytes = std::min<size_t>(bytes, limit.rlim_cur / 2);
  void* probe = mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED) {
    end_with("nnc: error: not enough memory to start (is there a limit, such as ulimit -v?)\n");
  }
  munmap(probe, 2 * bytes);
  touch(bytes);
}

// An exception that passed code which cannot be passed, or left a thread.
[[noreturn]] void end_in_words() {
  try {
    if (std::current_exception()) std::rethrow_exception(std::current_exception());
  } catch (const std::bad_alloc&) {
    end_with("nnc: error: not enough memory\n");
  } catch (const std::exception& error) {
    constexpr std::string_view before = "nnc: error: ", after = "\n  This is a mistake in nnc.\n";
    for (const std::string_view words : {before, std::string_view(error.what()), after}) {
      [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, words.data(), words.size());
    }
  } catch (...) {
  }
  _exit(static_cast<int>(Exit::failed));
}

}  // namespace

void prepare_process() {
  open_standard_streams();
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  take_stack();
  std::set_terminate(end_in_words);
  jit::throw_when_out_of_memory();
  runtime::set_memory_limit(runtime::machine_memory());
}

}  // namespace nnc::tool
