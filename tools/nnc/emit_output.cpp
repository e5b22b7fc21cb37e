#include "tools/nnc/emit_output.h"

#include <fmt/format.h>

#include "compiler/support/text.h"
#include "runtime/atomic_file.h"
#include "tools/workbench/readable.h"

namespace nnc::tool {

using namespace workbench;

void write_emitted(const std::filesystem::path& path, std::string_view bytes,
                   const std::string& note) {
  runtime::write_atomically(path.string(), bytes);
  fmt::print("{}  {}{}\n", printable(path.string()), bytes_text(static_cast<double>(bytes.size())),
             note);
}

}  // namespace nnc::tool
