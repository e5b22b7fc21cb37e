#include "tools/nnc/interrupt.h"

#include <signal.h>

namespace nnc::tool {

namespace {

volatile sig_atomic_t flag = 0;

void on_signal(int) { flag = 1; }

}  // namespace

void catch_interrupts() {
  flag = 0;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return flag != 0; }

}  // namespace nnc::tool
