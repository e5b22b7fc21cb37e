// The clock of everything that the command measures.
#pragma once

#include <chrono>

namespace nnc::tool {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// When main() was entered: the time of the first call, which main() makes.
inline Clock::time_point main_began() {
  static const Clock::time_point began = Clock::now();
  return began;
}

}  // namespace nnc::tool
