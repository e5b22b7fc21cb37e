#include "runtime/thread_choice.h"

#include <algorithm>

namespace nnc::runtime {

namespace {

constexpr int window = 8;           // calls that a figure is the fastest of
constexpr int trial_calls = 6;      // the first two of them warm the caches up
constexpr double long_call = 1e-3;  // such work is worth sharing, and a trial costs too much
constexpr double first_interval = 0.05, last_interval = 2;  // seconds between trials
constexpr double clearly = 1.3, better = 0.95;

}  // namespace

int ThreadChoice::threads(int available) const { return all_ != trying_ ? available : 1; }

void ThreadChoice::took(double seconds) {
  ++calls_;
  if (trying_) {
    if (calls_ > 2) there_ = calls_ == 3 ? seconds : std::min(there_, seconds);
    if (calls_ == trial_calls) settle();
    return;
  }
  here_ = calls_ % window == 1 ? seconds : std::min(here_, seconds);
  since_trial_ += seconds;
  if (calls_ % window != 0 || since_trial_ < interval_ || (all_ && here_ > long_call)) return;
  trying_ = true;
  calls_ = 0;
}

// Ends a trial. The longer nothing changes, the rarer the trials.
void ThreadChoice::settle() {
  trying_ = false;
  calls_ = 0;
  since_trial_ = 0;
  const bool sure = there_ > clearly * here_;
  interval_ = sure ? std::clamp(2 * interval_, first_interval, last_interval) : first_interval;
  if (there_ < better * here_) all_ = !all_;
}

}  // namespace nnc::runtime
