// A scheduled graph as a kernel module: one function per group, a `core` that runs them in order
// for one thread, and an entry that unpacks the runtime's Context.
//
// Parameters of the core: state, arena; per input its rows and their order (i32); per output a
// pointer; scalars (f64 array); rows, thread, threads; barrier function and its state.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/kernel/plan.h"

namespace nnc::kernel {

struct GroupSummary {
  std::string function;
  std::string schedule;
  double flops = 0;
  int line = 0;  // of the model file
};

struct LoweredProgram {
  Module module;
  std::string entry;  // exported: void(const abi::Context*, i64 thread)
  std::string core;
  Plan plan;
  double flops = 0;
  std::vector<GroupSummary> groups;
};

LoweredProgram lower_program(const ir::Graph& scheduled,
                             const std::map<std::string, size_t>& state_offsets,
                             const Target& target);

}  // namespace nnc::kernel
