// The command `nnc`: reads the command line, runs one subcommand, turns errors into words and exit
// codes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <system_error>

#include "compiler/language/synonyms.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/text.h"
#include "runtime/data/error.h"
#include "runtime/memory_limit.h"
#include "tools/nnc/command.h"
#include "tools/nnc/process.h"
#include "tools/nnc/report.h"
#include "tools/nnc/terminal.h"
#include "tools/nnc/width.h"
#include "tools/workbench/error.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/version.h"

namespace nnc::tool {

using namespace workbench;

namespace {

const char* const overview =
    "nnc {} compiles a neural network, described in one YAML file, into native code that trains it "
    "and runs it, and writes it as standalone C++.\n"
    R"(
  nnc check FILE                is it right? layers, shapes, parameters, cost
  nnc train FILE                train it; the result is a run folder, runs/NAME-001
  nnc eval RUN                  loss and metrics on the test rows
  nnc predict RUN --in x.csv --out y.csv
  nnc show RUN                  what it has learned: weights, free parameters
  nnc emit RUN -o net.hpp       one C++17 header, no dependency
  nnc bench FILE                time of a training step and of inference, share of the peak
  nnc dump FILE --stage S       any stage of the compiler, from the spec to the machine code
  nnc help [WORD]               a layer, loss, optimizer … explained; without a word: all of them
  nnc schema                    JSON Schema of the language, for editors

Start with:
  nnc train models/fashion-mlp.yaml
`nnc COMMAND --help` lists the options of a command.
)";

void print_overview() { fmt::print("{}", fitted(fmt::format(fmt::runtime(overview), version))); }

void say_error(const std::string& message, const std::string& hint = {}) {
  print_error("{} {}\n", styled_error("nnc: error:", Style::red), without_controls(message));
  if (!hint.empty()) print_error("  {}\n", without_controls(hint));
}

// A reader that has seen enough (`| head`) knows that itself.
void say_output_failed(int reason) {
  if (reason == EPIPE) return;
  say_error(fmt::format("standard output could not be written: {}", std::strerror(reason)));
}

// The subcommand that a wrong first word was probably meant to be.
std::string nearest_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands({})) {
    if (sub->get_name() == argv[1]) return {};
    names.push_back(sub->get_name());
  }
  const auto found = nearest(argv[1], names);
  return found ? fmt::format("did you mean `nnc {}`?", *found) : "`nnc` alone lists the commands";
}

// The option that a wrong one was probably meant to be: --epoch is --epochs.
std::string nearest_option(const CLI::App& app, int argc, char** argv) {
  if (app.get_subcommands().empty()) return {};
  const CLI::App& sub = *app.get_subcommands().front();
  std::vector<std::string> names;
  for (const CLI::Option* option : sub.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  }
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--", 0) != 0 || word.size() < 3) continue;
    const std::string name = word.substr(2, word.find('=') - 2);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const auto near = meant(name, names);
    return near ? fmt::format("did you mean --{}?", *near) : "";
  }
  return {};
}

Exit usage_error(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error) {
  std::string hint = nearest_command(app, argc, argv);
  std::string message = error.what();
  if (!hint.empty()) {
    message = fmt::format("there is no command {}", in_quotes(argv[1]));
  } else if (!app.get_subcommands().empty()) {
    const std::string near = nearest_option(app, argc, argv);
    hint = fmt::format("{}{}`nnc {} --help` lists its options", near, near.empty() ? "" : " ",
                       app.get_subcommands().front()->get_name());
  }
  while (!message.empty() && (message.back() == '\n' || message.back() == '.')) message.pop_back();
  say_error(message, hint);
  return Exit::usage;
}

Exit run(int argc, char** argv) {
  CLI::App app{"", "nnc"};
  app.set_version_flag("--version", fmt::format("nnc {}", version));
  app.set_help_flag("-h,--help", "this text");
  app.require_subcommand(0, 1);
  Action action;
  for (const auto add : {add_check, add_train, add_eval, add_predict, add_generate, add_show,
                         add_emit, add_dump, add_bench, add_schema, add_help}) {
    add(app, action);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    if (app.get_subcommands().empty()) {
      print_overview();
    } else {
      fmt::print("{}", fitted(app.get_subcommands().front()->help("nnc")));
    }
    return Exit::done;
  } catch (const CLI::CallForVersion& called) {
    fmt::print("{}\n", called.what());
    return Exit::done;
  } catch (const CLI::ParseError& error) {
    return usage_error(app, argc, argv, error);
  }
  if (!action) {
    print_overview();
    return Exit::done;
  }
  return action();
}

Exit run_and_explain(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Ended& ended) {
    return ended.exit;
  } catch (const CommandError& error) {
    say_error(error.what(), error.hint);
    return error.exit;
  } catch (const Reported&) {
    return Exit::usage;
  } catch (const WorkError& error) {
    say_error(error.what(), error.hint);
    return error.fault == Fault::request ? Exit::usage : Exit::failed;
  } catch (const DataMistake& error) {
    print_error("{}", render(error.diagnostic));
    return Exit::failed;
  } catch (const UserError& error) {
    print_error("{}", render(error.diagnostic));
    return Exit::usage;
  } catch (const runtime::DataError& error) {
    say_error(in_printable_words(error).what());
    return Exit::failed;
  } catch (const runtime::OutOfMemory& error) {
    say_error(fmt::format("{}\n  expected  {}\n  got       {}", error.what(), error.expected(),
                          error.got()),
              "fewer rows, smaller batches or a smaller model take less");
    return Exit::failed;
  } catch (const std::bad_alloc&) {
    say_error("not enough memory", "fewer rows, smaller batches or a smaller model take less");
    return Exit::failed;
  } catch (const InternalError& error) {
    say_error(fmt::format("{}\n  This is a mistake in nnc, not in your file.", error.what()));
    return Exit::failed;
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) == 0) {
      say_error(error.what());
    } else {
      say_output_failed(error.code().value());
    }
    return Exit::failed;
  } catch (const std::exception& error) {
    say_error(error.what());
    return Exit::failed;
  }
}

}  // namespace
}  // namespace nnc::tool

int main(int argc, char** argv) {
  nnc::tool::main_began();
  nnc::tool::prepare_process();
  nnc::tool::print_reports();
  const nnc::tool::Exit exit = nnc::tool::run_and_explain(argc, argv);
  // What was printed must have arrived: a full disk behind `> file` is a failure.
  const int reason = nnc::tool::flush_output();
  if (reason != 0 && exit == nnc::tool::Exit::done) {
    nnc::tool::say_output_failed(reason);
    return static_cast<int>(nnc::tool::Exit::failed);
  }
  return static_cast<int>(exit);
}
