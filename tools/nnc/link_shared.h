// A shared library from object files, by a linker of this machine.
#pragma once

#include <string>
#include <vector>

#include "compiler/kernel/target.h"

namespace nnc::tool {

// The bytes of the library. `name`: its file's, which programs that are linked with it look for.
// CommandError if there is no linker for this kind of machine, or it fails.
std::string link_shared(const std::vector<std::string>& objects, const std::string& name,
                        kernel::Isa isa);

}  // namespace nnc::tool
