// nnc help: the reference of the language.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "compiler/language/reference.h"
#include "compiler/language/synonyms.h"
#include "compiler/layers/catalogue.h"
#include "compiler/layers/formula_function.h"
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
  x[0:2]          a part of a row, counted from 0, or from the end with -1; x[..., ::2], x[::-1]
  [a, b]          values of one shape side by side, along a new first axis
  pi              3.14159…
  axis=           of the row, from 0 or from the end with -1; a list of axes; without it all;
                  keepdims=true beside it leaves each with one entry

Functions
)";

// The name in front, so that a reader finds it; what it is of and what it gives behind.
std::string line_of(const layers::FormulaFunction& function) {
  const std::string signature = fmt::format("{}({})", function.name, function.operands);
  return fmt::format("  {:<31} {}\n", signature, function.doc);
}

// Everything about formulas, or one function; nothing for any other word.
std::string formula_help(const std::string& topic) {
  const bool all = topic == "formula" || topic == "formulas";
  std::string lines;
  for (const layers::FormulaFunction& function : layers::formula_function_table()) {
    if (all || function.name == topic) lines += line_of(function);
  }
  if (all) return formulas + lines;
  return lines.empty() ? "" : topic + " (function of formulas)\n\n" + lines;
}

Exit help(const std::string& topic) {
  const schema::Catalogue& catalogue = layers::catalogue();
  if (topic.empty()) {
    fmt::print("{}", fitted(language::help(catalogue)));
    return Exit::done;
  }
  // One word may be a layer and a function.
  std::string text = language::help(catalogue, topic).value_or("");
  const std::string more = formula_help(topic);
  if (!text.empty() && !more.empty()) text += "\n";
  text += more;
  if (!text.empty()) {
    fmt::print("{}", fitted(text));
    return Exit::done;
  }
  const auto near = meant(topic, language::help_topics(catalogue));
  throw CommandError(Exit::usage, fmt::format("nothing is called '{}'", topic),
                     near ? fmt::format("did you mean `nnc help {}`?", *near)
                          : "`nnc help` lists everything that a model file can say");
}

Exit page() {
  fmt::print("{}", language::reference_page(layers::catalogue()));
  return Exit::done;
}

}  // namespace

void add_help(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("help", "a layer, loss, optimizer ... explained");
  auto topic = std::make_shared<std::string>();
  auto markdown = std::make_shared<bool>(false);
  CLI::Option* word =
      sub->add_option("WORD", *topic, "what to explain; nothing: a list of everything");
  sub->add_flag("--markdown", *markdown, "everything with examples, as one page (docs/language.md)")
      ->excludes(word);
  sub->callback([&action, topic, markdown] {
    action = [topic, markdown] { return *markdown ? page() : help(*topic); };
  });
}

}  // namespace nnc::tool
