// Several functions in one header.
#include <doctest/doctest.h>

#include <array>

#include "compiler/codegen/emit_c_header.h"
#include "compiler/codegen/emit_text.h"
#include "tests/unit/codegen/emit_files.h"

namespace nnc::testing {

using codegen::CppLevel;
using codegen::EmitFunction;
using codegen::EmitWeights;

namespace {

// The model's function again, under other names: of the function, its input and its output.
using Names = std::array<std::string, 3>;

EmitModel with_functions(const std::vector<Names>& functions, const EmitModelOptions& options) {
  EmitModel model = emit_model(options);
  for (const auto& [name, input, output] : functions) {
    EmitFunction function = model.request.functions[0];
    function.name = name;
    function.inputs[0].name = input;
    function.outputs[0].name = output;
    model.request.functions.push_back(std::move(function));
  }
  return model;
}

// Names that other parts of a header have, or nearly.
const std::vector<Names> difficult = {
    {"decode", "x", "y"},
    {"decode_batch", "batch", "block"},
    {"a", "b_c", "output"},
    {"a_b", "c", "input"},
    {"x", "size", "x"},
    {"x_size", "a", "b"},
    {"x_batch", "decode", "predict"},
    {"predict_batch", "rows", "weights"},
    {"predict_bytes", "kernels", "data"},
    {"run", "row", "run_row"},
    {"run_block", "in_0", "arena"},
    {"weights", "state", "bytes_of"},
    {"weights_size", "workspace", "i"},
    {"load_weights", "path", "memory"},
    {"data", "scalars", "row_order"},
    {"kernels", "first", "count"},
    {"class", "int", "float"},
    {"std", "size_t", "main"},
    {"tolerance", "report", "good"},
    {"block_rows", "block_rows", "workspace_size"},
    {"input", "x", "size"},
    {"M_LEVEL", "M_DISPATCH", "M_SPACE"},
    {"m", "m", "M"},
    {"runs_here", "here", "H"},
    {"DECODE", "X", "Y"},
};

}  // namespace

TEST_CASE("functions stand beside predict, whatever they are called") {
  for (const EmitWeights weights : {EmitWeights::header, EmitWeights::file}) {
    EmitModelOptions options;
    options.name = "m";
    options.rows = 3;
    options.levels = {CppLevel::generic, CppLevel::plain};
    EmitModel model = with_functions(difficult, options);
    model.request.weights = weights;
    const TemporaryFolder folder;
    write_files(folder, model);
    for (const std::string& compiler : {std::string("g++"), clang_name()}) {
      if (compiler.empty()) continue;
      const Outcome outcome = selftest(folder, "m", compiler, "-O0 -DM_DISPATCH=0 -DM_EXPORT");
      INFO(compiler, "\n", outcome.output);
      CHECK(outcome.status == 0);
      for (const char* line : {"y (predict): ", "y (decode): ", "y (decode_batch): "})
        CHECK(outcome.output.find(line) != std::string::npos);
    }
  }
}

TEST_CASE("the C header has as many functions as the request, each with its own names") {
  EmitModelOptions options;
  options.name = "m";
  options.levels = {CppLevel::plain};
  EmitModel model = with_functions(difficult, options);
  for (EmitFunction& function : model.request.functions) {
    function.levels.clear();
    function.inputs[0].bytes = true;
  }
  model.request.header_name = "m.h";
  const TemporaryFolder folder;
  folder.write("m.h", codegen::emit_c_header(model.request, 64, kernel::Isa::sse2, "m.o"));
  folder.write("main.c",
               "#include \"m.h\"\nint main(void) { return M_DECODE_X_SIZE == 5 ? 0 : 1; }\n");
  for (const char* command : {"gcc -std=c99", "g++ -x c++ -std=c++17"}) {
    const Outcome outcome = run_command(
        fmt::format("cd {} && {} -O1 -Wall -Wextra -Wpedantic -Werror main.c -o main && ./main",
                    folder.file(""), command));
    INFO(command, "\n", outcome.output);
    CHECK(outcome.status == 0);
  }
}

TEST_CASE("sizes of a function have its name in front") {
  const EmitModel model =
      with_functions({{"decode", "code", "picture"}, {"a", "b_c", "d"}, {"a_b", "c", "d"}}, {});
  const codegen::EmitNames names = codegen::names_of(model.request);
  CHECK(names.functions[0].prefix == "");
  CHECK(names.functions[1].prefix == "decode_");
  CHECK(names.functions[2].prefix == "a_");
  CHECK(names.functions[3].prefix != "a_b_");  // a_b_c_size is that of the function a
  const std::string text = codegen::emit(model.request)[0].bytes;
  CHECK(text.find("constexpr std::size_t decode_code_size = 5;") != std::string::npos);
  CHECK(text.find("constexpr std::size_t decode_picture_size = 32;") != std::string::npos);
}

TEST_CASE("a header of one function has no predict, and scratch is the largest one's") {
  EmitModelOptions options;
  options.levels = {CppLevel::plain};
  EmitModel model = with_functions({{"decode", "x", "y"}, {"encode", "x", "y"}}, options);
  for (codegen::EmitLevel& level : model.request.functions[2].levels)
    level.row.arena_bytes = level.block.arena_bytes = 70000;
  model.request.functions.erase(model.request.functions.begin());
  const TemporaryFolder folder;
  write_files(folder, model);
  const std::string text = codegen::emit(model.request)[0].bytes;
  CHECK(text.find("predict(") == std::string::npos);
  CHECK(text.find("inline void decode(const float* x, float* y) noexcept") != std::string::npos);
  CHECK(text.find("inline void encode(const float* x, float* y, void* workspace) noexcept") !=
        std::string::npos);
  const Outcome outcome = selftest(folder, "two_by_two", "g++", "-O1");
  INFO(outcome.output);
  CHECK(outcome.status == 0);
}

TEST_CASE("weights do not fit a program with other functions") {
  const EmitModelOptions options;
  const EmitModel one = emit_model(options), two = with_functions({{"decode", "x", "y"}}, options);
  const auto symbol = [](const EmitModel& model) {
    return codegen::names_of(model.request).any_symbol;
  };
  CHECK(symbol(one) != symbol(two));
  CHECK(symbol(two) == symbol(with_functions({{"decode", "x", "y"}}, options)));
}

}  // namespace nnc::testing
