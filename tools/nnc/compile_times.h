// nnc bench --time-passes: where the milliseconds go from the start of the process to a first step
// that can run, with an empty and with a filled object cache.
#pragma once

#include <cstdint>
#include <string>

#include "tools/workbench/ready.h"

namespace nnc::tool {

// Runs this very command in processes of its own, each with --compile-once, and prints the process
// of median total for both states of the cache. Ends the command (Ended) where the model is wrong.
void print_compile_times(bool json);

// What such a process does: compiles once with the cache in `folder`, and prints one JSON object
// with its phases. `started`: when its process was asked for, in nanoseconds of Clock.
void compile_once(const workbench::ReadyChoices& flags, const std::string& folder, int64_t started);

}  // namespace nnc::tool
