#include "tools/nnc/interrupt.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <string_view>

#include "tools/nnc/exit.h"

namespace nnc::tool {

namespace {

volatile sig_atomic_t flag = 0;

timespec first{};

// `timeout` and batch systems signal a process and then its group: the same request, twice.
void on_signal(int signal) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (flag == 0) {
    first = now;
    flag = 1;
    return;
  }
  constexpr double same_request = 0.3;  // seconds
  const double seconds = static_cast<double>(now.tv_sec - first.tv_sec) +
                         1e-9 * static_cast<double>(now.tv_nsec - first.tv_nsec);
  if (seconds < same_request) return;
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  raise(signal);  // once this handler has returned
}

// Of what may be called here, nothing prints but `write`.
void end_at_once(int) {
  constexpr std::string_view said = "stopped before training began; nothing was written\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, said.data(), said.size());
  _exit(static_cast<int>(Exit::stopped));
}

void handle_with(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A terminal that closes; `nohup` has it ignored.
  struct sigaction before = {};
  sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

}  // namespace

void end_on_interrupts() { handle_with(end_at_once); }

void catch_interrupts() {
  flag = 0;
  handle_with(on_signal);
}

bool interrupted() { return flag != 0; }

}  // namespace nnc::tool
