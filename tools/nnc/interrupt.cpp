#include "tools/nnc/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <string_view>

#include "tools/nnc/exit.h"

namespace nnc::tool {

namespace {

volatile sig_atomic_t flag = 0;

void on_signal(int) { flag = 1; }

// Of what may be called here, nothing prints but `write`.
void end_at_once(int) {
  constexpr std::string_view said = "stopped before training began; nothing was written\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, said.data(), said.size());
  _exit(static_cast<int>(Exit::stopped));
}

void handle_with(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

void end_on_interrupts() { handle_with(end_at_once); }

void catch_interrupts() {
  flag = 0;
  handle_with(on_signal);
}

bool interrupted() { return flag != 0; }

}  // namespace nnc::tool
