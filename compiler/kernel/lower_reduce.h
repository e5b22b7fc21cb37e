// What reductions along rows and down columns share.
#pragma once

#include <map>

#include "compiler/kernel/lower_group.h"

namespace nnc::kernel {

// One step of a reduction: the accumulator with one more element (or another accumulator).
Value combine(KernelScope& s, const ir::Node& reduction, Value accumulator, Value element);

// What a reduction of nothing gives.
Value identity(KernelScope& s, const ir::Node& reduction, int lanes);

// How many reductions of a group, one after the other, lead to a value.
class Levels {
 public:
  int of(const ir::Value* value);

 private:
  std::map<const ir::Value*, int> known_;
};

}  // namespace nnc::kernel
