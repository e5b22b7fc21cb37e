// The identity of the running binary. Objects that another build of nnc wrote are never reused.
#pragma once

#include <string>

namespace nnc::jit {

// The linker's build id in hexadecimal or, where the binary has none, its size and time of change.
// Empty if neither is known: then nothing can be cached.
const std::string& build_id();

}  // namespace nnc::jit
