#include "compiler/codegen/emit_entry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "compiler/codegen/cpp_names.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

namespace {

// True for PREFIX followed by digits.
bool is_numbered(const std::string& name, const std::string& prefix) {
  return name.size() > prefix.size() && name.rfind(prefix, 0) == 0 &&
         name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
}

std::string argument_for(const std::string& name, const std::string& rows,
                         const std::string& scalars) {
  const EntryParameters known;
  if (name == known.state) return "bytes_of(weights)";
  if (name == known.arena) return "arena";
  if (is_numbered(name, known.input)) return "bytes_of(" + name + ")";
  if (is_numbered(name, known.order)) return "bytes_of(data::row_order)";
  if (is_numbered(name, known.output)) return "bytes_of(" + name + ")";
  if (name == known.scalars) return scalars.empty() ? "nullptr" : "bytes_of(data::" + scalars + ")";
  if (name == known.rows) return rows;
  if (name == known.thread) return "0";
  if (name == known.threads) return "1";
  if (name == known.barrier || name == known.barrier_state) return "nullptr";
  throw InternalError("internal error: emitted code cannot fill the parameter '" + name +
                      "' of an entry");
}

}  // namespace

std::string call_entry(const kernel::Function& entry, const std::string& cpp_name,
                       const std::string& rows, const std::string& scalars) {
  std::vector<std::string> arguments;
  for (const std::string& name : entry.param_names) {
    arguments.push_back(argument_for(name, rows, scalars));
  }
  return wrap_cpp(fmt::format("  {}({});", cpp_name, fmt::join(arguments, ", ")), 2);
}

}  // namespace nnc::codegen
