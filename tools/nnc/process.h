// What the process is given, made safe before anything else happens.
#pragma once

#include "tools/workbench/clock.h"

namespace nnc::tool {

// Standard streams that are closed are opened on nothing, so that no data file becomes one of them;
// a reader that ends and a file that may not grow are errors of a write, not signals; the stack has
// its memory while there is some; what nobody catches ends with words; the memory limit is the
// machine's.
void prepare_process();

// When main() was entered: the time of the first call, which main() makes.
inline workbench::Clock::time_point main_began() {
  static const workbench::Clock::time_point began = workbench::Clock::now();
  return began;
}

}  // namespace nnc::tool
