// Names and words that look like code.
#include <doctest/doctest.h>

#include "compiler/codegen/emit_c_header.h"
#include "compiler/codegen/emit_text.h"
#include "tests/unit/codegen/emit_files.h"

namespace nnc::testing {

using codegen::CppLevel;

namespace {

const std::vector<std::string> hostile = {
    "plain",
    "quote\"; int injected = 1; //",
    "back\\",
    "line\nint injected = 1;",
    "line\rint injected = 1;",
    "*/ int injected = 1; /*",
    "// comment",
    "trigraph ?\?/",
    "?\?' ?\?/\nint injected = 1;",
    std::string("nul\0int injected;", 17),
    "bell\a\x1b[31m",
    "gr\xc3\xb6\xc3\x9f"
    "e",
    "broken \xff\xc3",
    "turned \xe2\x80\xae txet",
    "line \xe2\x80\xa8 separator",
    "#include </dev/null>",
    "\\u0022 \\N{QUOTATION MARK}",
    "$(touch x) `touch x`",
    "%s %n",
    "R\"(",
    "",
};

EmitModel hostile_model() {
  std::string lines, line;
  for (const std::string& word : hostile) {
    lines += word + "\n";
    line += word + " ";
  }
  EmitModelOptions options;
  options.levels = {CppLevel::plain};
  options.rows = 1;
  options.inputs = static_cast<int64_t>(hostile.size());
  EmitModel model = emit_model(options);
  codegen::EmitRequest& request = model.request;
  request.header_name = "m.hpp";
  request.name = "m";
  request.summary = lines;
  request.model = request.run = request.file_hash = line;
  codegen::EmitFunction& function = request.functions[0];
  function.inputs[0].name = line;
  function.inputs[0].comment = lines;
  function.inputs[0].columns = hostile;
  function.outputs[0].name = function.outputs[0].comment = "back\\";
  function.outputs[0].classes.assign(32, "?\?/");
  request.states[0].name = lines;
  request.states[1].name = "back\\";
  for (auto& module : model.modules)
    for (auto& kernel : module.functions) kernel->comment = lines;
  return model;
}

// Fails unless the program holds what the data said, byte for byte.
std::string check_of_bytes(const EmitModel& model) {
  std::string checks;
  const std::string columns = codegen::names_of(model.request).functions[0].inputs[0] + "_columns";
  for (size_t i = 0; i < hostile.size(); ++i) {
    std::string bytes;
    for (const char c : hostile[i]) bytes += fmt::format("'\\x{:02x}', ", static_cast<uint8_t>(c));
    checks += fmt::format("  {{\n    const char expected[] = {{{}0}};\n", bytes) +
              fmt::format(
                  "    if (std::memcmp(m::{}[{}], expected, sizeof expected) != 0) return "
                  "1;\n  }}\n",
                  columns, i);
  }
  return "#include \"m.hpp\"\nint injected = 0;  // would be defined twice\nint main() {\n" +
         checks + "  return injected;\n}\n";
}

}  // namespace

TEST_CASE("words from data are never code") {
  const EmitModel model = hostile_model();
  const TemporaryFolder folder;
  write_files(folder, model);
  for (const std::string& compiler : {std::string("g++"), clang_name()}) {
    if (compiler.empty()) continue;
    const Outcome outcome = selftest(folder, "m", compiler, "-O0 -trigraphs");
    INFO(outcome.output);
    CHECK(outcome.status == 0);
  }
  folder.write("main.cpp", check_of_bytes(model));
  const Outcome built = build(folder, "g++", "main.cpp");
  INFO(built.output);
  CHECK(built.status == 0);
  CHECK(run_command(folder.file("main")).status == 0);
}

TEST_CASE("words from data are no code of C either") {
  EmitModel model = hostile_model();
  model.request.functions[0].levels.clear();
  model.request.functions[0].inputs[0].bytes = true;
  model.request.header_name = "m.h";
  const TemporaryFolder folder;
  folder.write("m.h",
               codegen::emit_c_header(model.request, 64, kernel::Isa::sse2, model.request.summary));
  folder.write("main.c",
               "#include \"m.h\"\nint injected = 0;\nint main(void) { return M_BLOCK_ROWS == 8 ? "
               "injected : 1; }\n");
  for (const char* command : {"gcc -std=c99 -trigraphs", "gcc -std=gnu99", "clang-19 -std=c99",
                              "g++ -x c++ -std=c++17"}) {
    if (!has_compiler(std::string(command).substr(0, std::string(command).find(' ')))) continue;
    const Outcome outcome = run_command(
        fmt::format("cd {} && {} -Wall -Wextra -Wpedantic -Werror main.c -o main && ./main",
                    folder.file(""), command));
    INFO(command, "\n", outcome.output);
    CHECK(outcome.status == 0);
  }
}

}  // namespace nnc::testing
