// nnc emit: a trained model as standalone C++.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>

#include "compiler/codegen/emit.h"
#include "compiler/codegen/emit_c_header.h"
#include "compiler/codegen/emit_identity.h"
#include "compiler/jit/jit.h"
#include "compiler/support/text.h"
#include "runtime/atomic_file.h"
#include "tools/nnc/emit_request.h"
#include "tools/nnc/terminal.h"

namespace nnc::tool {

namespace fs = std::filesystem;

namespace {

struct Flags {
  std::string run;
  std::string out;
  std::string name;
  std::string weights = "header";
  std::string target;
  bool self_test = false;
  bool object = false;
};

EmitChoices choices_of(const Flags& flags) {
  EmitChoices choices;
  choices.name = flags.name;
  if (flags.weights == "file") choices.weights = codegen::EmitWeights::file;
  if (flags.weights == "object") choices.weights = codegen::EmitWeights::object;
  choices.self_test = flags.self_test;
  return choices;
}

void write(const fs::path& path, std::string_view bytes, const std::string& note) {
  runtime::write_atomically(path.string(), bytes);
  fmt::print("{}  {}{}\n", printable(path.string()), bytes_text(static_cast<double>(bytes.size())),
             note);
}

kernel::Target object_target(const Flags& flags) {
  if (flags.target.empty()) return kernel::host_target();
  kernel::Isa isa;
  if (!kernel::parse_isa(flags.target, isa)) {
    throw CommandError(Exit::usage, fmt::format("--target: nothing is called '{}'", flags.target),
                       "one of sse2, avx2, avx512 and neon");
  }
  return kernel::target_for(isa);
}

// Machine code, weights and a C header.
void write_object(const Flags& flags, const Trained& trained, CompiledModel& compiled,
                  const fs::path& out) {
  const kernel::Target target = object_target(flags);
  ObjectKernels kernels = lower_for_object(compiled, "predict", target);
  EmitLevels interface;
  interface.description = kernels.description;
  interface.block_rows = kernels.block_rows;
  interface.few_rows = kernels.few_rows;
  fs::path header = out;
  header.replace_extension(".h");
  codegen::EmitRequest request = emit_request(trained, compiled, interface, choices_of(flags));
  request.header_name = header.filename().string();
  request.kernels = codegen::kernels_hash({&kernels.row, &kernels.block});
  const size_t arena_bytes = kernels.arena_bytes;
  const kernel::Module module =
      codegen::join_for_object(request, std::move(kernels.row), std::move(kernels.block));
  const std::vector<uint8_t> bytes = jit::emit_object(module, target);
  write(out, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
        std::string(", ") + kernel::name_of(target.isa));
  const bool arm = target.isa == kernel::Isa::neon;
  const codegen::EmittedFile weights = codegen::weights_object(
      request, arm ? codegen::ObjectMachine::aarch64 : codegen::ObjectMachine::x86_64);
  write(out.parent_path() / weights.name, weights.bytes, "");
  write(header,
        codegen::emit_c_header(request, arena_bytes, header.filename().string(),
                               out.filename().string()),
        "");
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

// Options that would do nothing.
void check_flags(const Flags& flags) {
  check_names(flags);
  if (!flags.object && !flags.target.empty())
    throw CommandError(Exit::usage, "--target is for objects: a header runs on any processor",
                       "--object writes an object file");
  if (flags.object && flags.self_test)
    throw CommandError(Exit::usage, "--self-test tests a header, and --object writes none for C++",
                       "one of the two");
  const std::string ending = fs::path(flags.out).extension().string();
  if (flags.object && (ending == ".hpp" || ending == ".h"))
    throw CommandError(Exit::usage, fmt::format("{}: an object file is no header", flags.out),
                       "-o NAME.o; a C header NAME.h is written beside it");
}

Exit emit(const Flags& flags) {
  check_flags(flags);
  const Trained trained = open_trained(flags.run);
  CompileOptions options;
  options.training = false;
  const auto compiled = compile_model(trained.model, trained.fields, options, false);
  const std::string base = base_of(flags, trained);
  const std::string ending = flags.object ? ".o" : ".hpp";
  const fs::path out = flags.out.empty() ? fs::path(base + ending) : fs::path(flags.out);
  if (flags.object) {
    write_object(flags, trained, *compiled, out);
    return Exit::done;
  }
  const EmitLevels levels = lower_levels(*compiled, "predict");
  codegen::EmitRequest request = emit_request(trained, *compiled, levels, choices_of(flags));
  request.header_name = out.filename().string();
  std::string self_test, weights_object;
  for (const codegen::EmittedFile& file : codegen::emit(request)) {
    const fs::path path = out.parent_path() / file.name;
    write(path, file.bytes, "");
    if (path.extension() == ".cpp") self_test = path.string();
    if (path.extension() == ".o") weights_object = " " + shell_word(path.string());
  }
  if (!self_test.empty()) {
    fmt::print("\nTo test it:\n  g++ -std=c++17 -O2 -march=native {}{} -o selftest && ./selftest\n",
               shell_word(self_test), weights_object);
  }
  return Exit::done;
}

}  // namespace

void add_emit(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("emit", "a trained run as one C++17 header");
  auto flags = std::make_shared<Flags>();
  sub->add_option("RUN", flags->run, "run folder")->required();
  sub->add_option("-o,--out", flags->out, "the header (default: NAME.hpp)");
  sub->add_option("--name", flags->name,
                  "what the namespace, the C functions and the files are called (default: the "
                  "model's name), for several models in one program");
  sub->add_flag("--self-test", flags->self_test,
                "also a program that checks the header with real rows");
  sub->add_option("--weights", flags->weights,
                  "inside the header, in an object file to link, or in a file to load")
      ->check(CLI::IsMember({"header", "object", "file"}))
      ->capture_default_str();
  sub->add_flag("--object", flags->object,
                "object files of code and weights with a C header, instead of the C++ header");
  sub->add_option("--target", flags->target, "of the object: sse2, avx2, avx512 or neon (aarch64)");
  sub->callback([&action, flags] { action = [flags] { return emit(*flags); }; });
}

}  // namespace nnc::tool
