// How many threads a small step should run on: what is shared has to travel between cores, and how
// much that costs depends on where they sit and on who else is running. So it is measured, now and
// then, while the steps run. Results do not depend on it: they are the same at any thread count.
#pragma once

#include <cstdint>

namespace nnc::runtime {

class ThreadChoice {
 public:
  // Threads for the next call, of so many available.
  int threads(int available) const;
  // How long that call took.
  void took(double seconds);

 private:
  void settle();

  bool all_ = true;              // what is chosen: all threads, or one
  bool trying_ = false;          // the other one is being tried
  int calls_ = 0;                // since the choice or the trial began
  double here_ = 0, there_ = 0;  // fastest of the last calls: of the choice, and of the other
  double since_trial_ = 0, interval_ = 0;
};

}  // namespace nnc::runtime
