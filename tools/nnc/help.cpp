// nnc help: the reference of the language.
#include <fmt/format.h>

#include "compiler/layers/catalogue.h"
#include "compiler/spec/reference.h"
#include "compiler/spec/synonyms.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/text.h"
#include "tools/nnc/command.h"

namespace nnc::tool {

namespace {

Exit help(const std::string& topic) {
  const schema::Catalogue& catalogue = layers::catalogue();
  if (topic.empty()) {
    fmt::print("{}", spec::help(catalogue));
    return Exit::done;
  }
  if (const auto text = spec::help(catalogue, topic)) {
    fmt::print("{}", *text);
    return Exit::done;
  }
  const auto near = meant(topic, spec::help_topics(catalogue));
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
