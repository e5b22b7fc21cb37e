#include "tools/nnc/emit_object.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/codegen/emit_c.h"
#include "compiler/codegen/emit_c_header.h"
#include "compiler/codegen/emit_identity.h"
#include "compiler/codegen/llvm_c_functions.h"
#include "compiler/jit/jit.h"
#include "tools/nnc/emit_output.h"
#include "tools/nnc/exit.h"
#include "tools/nnc/link_shared.h"
#include "tools/workbench/readable.h"

namespace nnc::tool {

using namespace workbench;

namespace fs = std::filesystem;

namespace {

struct Built {
  codegen::EmitRequest request;
  std::string code, weights;  // object files
  size_t arena_bytes = 0;
};

Built build(const ObjectChoices& object, const Trained& trained, CompiledModel& compiled,
            const fs::path& header) {
  std::vector<EmitLevels> interfaces;
  std::vector<codegen::RowAndBlock> kernels;
  std::vector<std::string> hashes;
  Built built;
  for (const std::string& function : object.functions) {
    ObjectKernels lowered = lower_for_object(compiled, function, object.target);
    EmitLevels& interface = interfaces.emplace_back();
    interface.description = lowered.description;
    interface.block_rows = lowered.block_rows;
    interface.few_rows = lowered.few_rows;
    built.arena_bytes = std::max(built.arena_bytes, lowered.arena_bytes);
    hashes.push_back(codegen::kernels_hash({&lowered.row, &lowered.block}));
    kernels.push_back({std::move(lowered.row), std::move(lowered.block)});
  }
  built.request = emit_request(trained, compiled, interfaces, object.choices);
  built.request.header_name = header.filename().string();
  for (size_t f = 0; f < hashes.size(); ++f) built.request.functions[f].kernels = hashes[f];
  const kernel::Module module = codegen::join_for_object(built.request, std::move(kernels));
  const std::vector<uint8_t> bytes = jit::emit_object(
      module, object.target,
      [&](llvm::Module& printed) { codegen::add_c_functions(printed, built.request); });
  built.code.assign(bytes.begin(), bytes.end());
  const bool arm = object.target.isa == kernel::Isa::neon;
  built.weights = codegen::weights_object(built.request, arm ? codegen::ObjectMachine::aarch64
                                                             : codegen::ObjectMachine::x86_64)
                      .bytes;
  return built;
}

// The compiler for programs of the target.
std::string compiler_for(kernel::Isa isa) {
  const bool arm = isa == kernel::Isa::neon;
  const bool here = (kernel::host_target().isa == kernel::Isa::neon) == arm;
  return here ? "cc" : arm ? "aarch64-linux-gnu-gcc" : "x86_64-linux-gnu-gcc";
}

// The loader finds the library beside the program.
std::string library_options(const fs::path& path) {
  const std::string file = path.has_parent_path() ? path.string() : "./" + path.string();
  return shell_word(file) + " '-Wl,-rpath,$ORIGIN'";
}

}  // namespace

kernel::Target target_called(const std::string& text) {
  if (text.empty()) return kernel::host_target();
  kernel::Isa isa;
  if (!kernel::parse_isa(text, isa)) {
    throw CommandError(Exit::usage, fmt::format("--target: nothing is called '{}'", text),
                       "one of sse2, avx2, avx512 and neon");
  }
  return kernel::target_for(isa);
}

void write_object(const ObjectChoices& object, const Trained& trained, CompiledModel& compiled,
                  const fs::path& out) {
  const kernel::Isa isa = object.target.isa;
  fs::path header = out;
  header.replace_extension(".h");
  const Built built = build(object, trained, compiled, header);
  const std::string note = fmt::format(", for {}", codegen::processors_of(isa));
  std::string linked, files;  // as a person says it, and as a shell takes it
  if (object.shared) {
    write_emitted(out, link_shared({built.code, built.weights}, out.filename().string(), isa),
                  note);
    linked = out.filename().string();
    files = library_options(out);
  } else {
    const fs::path weights = out.parent_path() / (out.stem().string() + "_weights.o");
    write_emitted(out, built.code, note);
    write_emitted(weights, built.weights);
    linked = out.filename().string() + " and " + weights.filename().string();
    files = shell_word(out.string()) + " " + shell_word(weights.string());
  }
  write_emitted(header, codegen::emit_c_header(built.request, built.arena_bytes, isa, linked));
  const std::string compiler = compiler_for(isa);
  fmt::print("\nTo link it:\n  {} main.c {} -o main\n", compiler, files);
  if (object.choices.self_test) {
    const fs::path test = out.parent_path() / (out.stem().string() + "_selftest.c");
    const std::string command = fmt::format("{} -std=c99 -O2 {} {} -o selftest", compiler,
                                            shell_word(test.string()), files);
    write_emitted(test, codegen::emit_c_selftest(built.request, command));
    fmt::print("\nTo test it:\n  {} && ./selftest\n", command);
  }
}

}  // namespace nnc::tool
