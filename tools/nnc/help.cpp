// nnc help: the reference of the language.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "compiler/language/reference.h"
#include "compiler/language/synonyms.h"
#include "compiler/layers/catalogue.h"
#include "compiler/layers/formula.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/text.h"
#include "tools/nnc/command.h"
#include "tools/nnc/width.h"

namespace nnc::tool {

namespace {

constexpr const char* formulas =
    R"(formulas (expressions in quotes)

)"
    "  Of numbers, and of the names of fields, layers, params and outputs. A formula speaks of one "
    "row; shapes broadcast as in NumPy.\n"
    R"(
  or, and, not    conditions; a number is true unless it is 0
  < <= > >= == != comparisons
  + - * / ^       arithmetic; ^ is the power and binds to the right
  @               matrix product
  if(c, a, b)     a where the condition c holds, else b
  sum(x, axis=-1) along an axis of the row or a list of them; without `axis` over all
  x[0:2]          a part of a row, counted from 0, or from the end with -1; x[..., 1]
  pi              3.14159…; in `generate` also uniform(low, high), normal(), normal([3])

Functions
)";

bool explain_formulas(const std::string& topic) {
  const std::vector<std::string> names = layers::formula_functions();
  const bool is_function = std::find(names.begin(), names.end(), topic) != names.end();
  if (topic != "formula" && topic != "formulas" && !is_function) return false;
  fmt::print("{}", fitted(fmt::format("{}  {}\n", formulas, fmt::join(names, " "))));
  return true;
}

Exit help(const std::string& topic) {
  const schema::Catalogue& catalogue = layers::catalogue();
  if (topic.empty()) {
    fmt::print("{}", fitted(language::help(catalogue)));
    return Exit::done;
  }
  if (const auto text = language::help(catalogue, topic)) {
    fmt::print("{}", fitted(*text));
    return Exit::done;
  }
  if (explain_formulas(topic)) return Exit::done;
  const auto near = meant(topic, language::help_topics(catalogue));
  throw CommandError(Exit::usage, fmt::format("nothing is called '{}'", topic),
                     near ? fmt::format("did you mean `nnc help {}`?", *near)
                          : "`nnc help` lists everything that a model file can say");
}

}  // namespace

void add_help(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("help", "a layer, loss, optimizer ... explained");
  auto topic = std::make_shared<std::string>();
  sub->add_option("WORD", *topic, "what to explain; nothing: a list of everything");
  sub->callback([&action, topic] { action = [topic] { return help(*topic); }; });
}

}  // namespace nnc::tool
