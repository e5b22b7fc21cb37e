// The state that training begins with: initial values, and weights of other runs.
#pragma once

#include <string>
#include <vector>

#include "compiler/compile.h"
#include "runtime/data/load.h"
#include "runtime/memory.h"
#include "runtime/threads.h"
#include "tools/workbench/job.h"

namespace nnc::workbench {

// A state that begins as another run ended.
struct Borrowed {
  std::string state;   // here
  std::string folder;  // of the run
  std::string name;    // there
  SourceSpan span;     // of the `init` that says so
};

// What the model takes from other runs. Each run is opened: UserError where it is none, lacks a
// name, or has another shape under it.
std::vector<Borrowed> borrowed_states(const language::Description& description,
                                      const abi::Program& program);

// A run that goes on takes everything from its checkpoint: other runs may be gone by then.
enum class Begin { first, again };

// Initial values, with those of other runs in their places, scaled where `init: lsuv` asks for it.
runtime::Buffer initial_state(const language::Description& description, CompiledModel& compiled,
                              const runtime::Dataset& data, uint64_t seed,
                              runtime::ThreadPool& pool, Begin begin = Begin::first);

}  // namespace nnc::workbench
