// Which limit of the machine a kernel comes nearest to.
#pragma once

#include <string>

#include "tools/nnc/machine.h"
#include "tools/nnc/profile.h"

namespace nnc::tool {

struct Bound {
  std::string name;  // compute, L2, L3, memory, barrier, small
  // Of the time, how much would be left if the kernel ran at that limit, at most 1; for barrier and
  // small 0. A small share says that nothing but the kernel itself is in its way.
  double share = 0;
};

// Of a group that `threads` threads ran.
Bound bound_of(const GroupTime& time, const Machine& machine, int threads);

}  // namespace nnc::tool
