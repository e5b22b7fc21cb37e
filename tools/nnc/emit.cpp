// nnc emit: a trained model as standalone C++ or C, as an object or as a shared library.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>

#include "compiler/support/text.h"
#include "tools/nnc/command.h"
#include "tools/nnc/emit_object.h"
#include "tools/nnc/emit_output.h"
#include "tools/workbench/emit_request.h"
#include "tools/workbench/entry_inputs.h"
#include "tools/workbench/readable.h"

namespace nnc::tool {

using namespace workbench;

namespace fs = std::filesystem;

namespace {

struct Flags {
  std::string run;
  std::string out;
  std::string name;
  std::string language = "c++";
  std::string weights = "header";
  std::string target;
  std::vector<std::string> functions;  // empty: predict and all of the model
  bool self_test = false;
  bool object = false;
  bool shared = false;
};

EmitChoices choices_of(const Flags& flags) {
  EmitChoices choices;
  choices.name = flags.name;
  if (flags.weights == "file") choices.weights = codegen::EmitWeights::file;
  if (flags.weights == "object") choices.weights = codegen::EmitWeights::object;
  choices.self_test = flags.self_test;
  return choices;
}

// What the namespace and the files are called.
std::string base_of(const Flags& flags, const Trained& trained) {
  return codegen::cpp_namespace(flags.name.empty() ? trained.manifest.model_name : flags.name);
}

// Emitted code says both names: the one in #include, the other everywhere.
void check_names(const Flags& flags) {
  if (!flags.name.empty() && codegen::cpp_namespace(flags.name) != flags.name)
    throw CommandError(
        Exit::usage, fmt::format("--name: {} cannot be a namespace of C++", in_quotes(flags.name)),
        fmt::format("letters, digits and underscores, such as {}",
                    codegen::cpp_namespace(flags.name)));
  const std::string file = fs::path(flags.out).filename().string();
  const auto unusual = [](unsigned char c) {
    return c < ' ' || c == 0x7f || c == '"' || c == '\\';
  };
  if (std::any_of(file.begin(), file.end(), unusual))
    throw CommandError(Exit::usage, fmt::format("-o: no #include can name {}", in_quotes(file)),
                       "a file name without quotes, backslashes and control characters");
}

enum class Kind { header, object, shared };

const std::vector<std::string>& endings_of(Kind kind) {
  static const std::vector<std::string> header = {".hpp", ".hh", ".hxx", ".h"}, object = {".o"},
                                        shared = {".so"};
  return kind == Kind::header ? header : kind == Kind::object ? object : shared;
}

// What is asked for, by the options or by the ending of -o.
Kind kind_of(const Flags& flags) {
  const std::string ending = fs::path(flags.out).extension().string();
  if (flags.shared || (!flags.object && ending == ".so")) return Kind::shared;
  const bool object = flags.object || flags.language == "c" || ending == ".o";
  return object ? Kind::object : Kind::header;
}

void check_ending(const Flags& flags, Kind kind) {
  if (flags.out.empty()) return;
  const std::string file = fs::path(flags.out).filename().string();
  const std::string ending = fs::path(flags.out).extension().string();
  std::vector<std::string> known = endings_of(kind);
  if (flags.language == "c") known.push_back(".h");
  if (std::find(known.begin(), known.end(), ending) != known.end()) return;
  const std::string named = in_quotes(file.empty() ? flags.out : file);
  const std::string what = ending.empty() ? fmt::format("-o: {} has no ending", named)
                                          : fmt::format("-o: nnc cannot write {}", named);
  std::string expected =
      "NAME.hpp, a C++ header; NAME.o, an object file; NAME.so, a shared library";
  if (flags.object || flags.language == "c")
    expected = "NAME.o; a C header NAME.h is written beside it";
  if (flags.shared) expected = "NAME.so; a C header NAME.h is written beside it";
  throw CommandError(Exit::usage, what, expected);
}

// Options that would do nothing.
void check_flags(const Flags& flags, Kind kind) {
  check_names(flags);
  if (flags.object && flags.shared)
    throw CommandError(Exit::usage, "--object and --shared are two things", "one of them");
  check_ending(flags, kind);
  if (kind == Kind::header && !flags.target.empty())
    throw CommandError(Exit::usage, "--target is for objects: a header runs on any processor",
                       "--object writes an object file, --shared a shared library");
  if (kind != Kind::header && flags.weights != "header")
    throw CommandError(Exit::usage,
                       "--weights is for the C++ header: objects have their weights "
                       "in an object",
                       "no --weights");
}

// The header and what belongs to it.
void write_header(const Flags& flags, const Trained& trained, CompiledModel& compiled,
                  const fs::path& out) {
  std::vector<EmitLevels> functions;
  for (const std::string& name : chosen_functions(flags.functions, compiled))
    functions.push_back(lower_levels(compiled, name));
  codegen::EmitRequest request = emit_request(trained, compiled, functions, choices_of(flags));
  request.header_name = out.filename().string();
  std::string self_test, weights_object;
  for (const codegen::EmittedFile& file : codegen::emit(request)) {
    const fs::path path = out.parent_path() / file.name;
    write_emitted(path, file.bytes);
    if (path.extension() == ".cpp") self_test = path.string();
    if (path.extension() == ".o") weights_object = " " + shell_word(path.string());
  }
  if (!self_test.empty()) {
    fmt::print("\nTo test it:\n  g++ -std=c++17 -O2 -march=native {}{} -o selftest && ./selftest\n",
               shell_word(self_test), weights_object);
  }
}

Exit emit(const Flags& flags) {
  const Kind kind = kind_of(flags);
  check_flags(flags, kind);
  ObjectChoices object;
  if (kind != Kind::header) object.target = target_called(flags.target);
  const Trained trained = open_trained(flags.run);
  const auto compiled =
      compile_model(trained.model, trained.fields, emit_options(flags.functions), false);
  const std::string file = base_of(flags, trained) + endings_of(kind).front();
  fs::path out = flags.out.empty() ? fs::path(file) : fs::path(flags.out);
  if (kind != Kind::header) out.replace_extension(endings_of(kind).front());
  if (kind == Kind::header) {
    write_header(flags, trained, *compiled, out);
  } else {
    object.choices = choices_of(flags);
    object.functions = chosen_functions(flags.functions, *compiled);
    object.shared = kind == Kind::shared;
    write_object(object, trained, *compiled, out);
  }
  return Exit::done;
}

}  // namespace

void add_emit(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand(
      "emit", "a trained run as a C++17 header, an object file or a shared library");
  auto flags = std::make_shared<Flags>();
  sub->add_option("RUN", flags->run, "run folder")->required();
  sub->add_option("-o,--out", flags->out,
                  "the file (default: NAME.hpp); NAME.o and NAME.so mean --object and --shared");
  sub->add_option("--name", flags->name,
                  "what the namespace, the C functions and the files are called (default: the "
                  "model's name), for several models in one program");
  sub->add_option("--function", flags->functions,
                  "predict or a function of the model; may be given several times (default: all of "
                  "them, beside each other with the same weights)")
      ->allow_extra_args(false)
      ->option_text("NAME");
  sub->add_flag("--self-test", flags->self_test,
                "also a program that checks what is written with real rows");
  sub->add_option("--language", flags->language,
                  "c++: a header that holds everything; c: a C99 header with the code in an object")
      ->check(CLI::IsMember({"c++", "c"}))
      ->capture_default_str();
  sub->add_option("--weights", flags->weights,
                  "inside the header, in an object file to link, or in a file to load")
      ->check(CLI::IsMember({"header", "object", "file"}))
      ->capture_default_str();
  sub->add_flag("--object", flags->object,
                "object files of code and weights with a C header, instead of the C++ header");
  sub->add_flag(
      "--shared", flags->shared,
      "a shared library NAME.so that exports NAME_predict and the functions of the model, with a C "
      "header");
  sub->add_option(
      "--target", flags->target,
      "of an object or library: sse2, avx2, avx512 or neon (aarch64); default: the best "
      "that this machine has, and code for it runs on no lesser one");
  sub->callback([&action, flags] { action = [flags] { return emit(*flags); }; });
}

}  // namespace nnc::tool
