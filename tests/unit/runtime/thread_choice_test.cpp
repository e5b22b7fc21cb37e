#include "runtime/thread_choice.h"

#include <doctest/doctest.h>

namespace {

using nnc::runtime::ThreadChoice;

// Calls that take `one` seconds on one thread and `all` on four; returns the share of calls on all.
double share_of_all(ThreadChoice& choice, double one, double all, int calls) {
  int shared = 0;
  for (int i = 0; i < calls; ++i) {
    const int threads = choice.threads(4);
    CHECK((threads == 1 || threads == 4));
    shared += threads == 4 ? 1 : 0;
    choice.took(threads == 4 ? all : one);
  }
  return static_cast<double>(shared) / calls;
}

TEST_CASE("the faster number of threads is found, and found again when it changes") {
  ThreadChoice choice;
  share_of_all(choice, 20e-6, 50e-6, 1000);
  CHECK(share_of_all(choice, 20e-6, 50e-6, 100'000) < 0.02);
  share_of_all(choice, 40e-6, 22e-6, 100'000);  // the cores have come closer
  CHECK(share_of_all(choice, 40e-6, 22e-6, 100'000) > 0.98);
}

TEST_CASE("long calls are shared without trials") {
  ThreadChoice choice;
  CHECK(share_of_all(choice, 5e-3, 3e-3, 1000) == 1);
}

}  // namespace
