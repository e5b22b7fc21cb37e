// The identity of the binary that this code is part of: the program, or a library that another
// program has loaded. Objects that another build of nnc wrote are never reused.
#pragma once

#include <string>

namespace nnc::jit {

// The linker's build id in hexadecimal or, where the binary has none, its size and time of change.
// Empty if neither is known: then nothing can be cached.
const std::string& build_id();

// The same of the binary that `address` lies in; empty if it lies in none.
std::string build_id_of(const void* address);

}  // namespace nnc::jit
