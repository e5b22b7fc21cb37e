// Machine code as object files or as a shared library, with a C header.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "compiler/compile.h"
#include "compiler/kernel/target.h"
#include "tools/workbench/emit_request.h"
#include "tools/workbench/trained.h"

namespace nnc::tool {

struct ObjectChoices {
  workbench::EmitChoices choices;
  std::vector<std::string> functions;
  kernel::Target target;
  bool shared = false;  // linked, by the linker of this machine
};

// "avx2"; of this machine if the text is empty. CommandError for what is none.
kernel::Target target_called(const std::string& text);

// Writes `out`, the header beside it, for objects the weights, and the self-test if there is one;
// says how to use them.
void write_object(const ObjectChoices& object, const workbench::Trained& trained,
                  CompiledModel& compiled, const std::filesystem::path& out);

}  // namespace nnc::tool
