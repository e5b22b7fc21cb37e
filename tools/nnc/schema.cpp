// nnc schema: the language for editors.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "compiler/language/reference.h"
#include "compiler/layers/catalogue.h"
#include "tools/nnc/command.h"

namespace nnc::tool {

void add_schema(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("schema", "JSON Schema of the language, for editors");
  sub->callback([&action] {
    action = [] {
      fmt::print("{}", language::json_schema(layers::catalogue()));
      return Exit::done;
    };
  });
}

}  // namespace nnc::tool
