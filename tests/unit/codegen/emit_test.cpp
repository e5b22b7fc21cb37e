#include <doctest/doctest.h>
#include <fmt/format.h>

#include "compiler/codegen/emit.h"
#include "compiler/support/diagnostics.h"
#include "tests/unit/codegen/emit_files.h"

namespace nnc::testing {

using codegen::CppLevel;
using codegen::EmitWeights;

namespace {

void check_selftest(const EmitModelOptions& options, const std::string& space,
                    const std::string& compiler, const std::string& flags,
                    EmitWeights weights = EmitWeights::header) {
  if (!has_compiler(compiler)) return;
  EmitModel model = emit_model(options);
  model.request.weights = weights;
  const TemporaryFolder folder;
  write_files(folder, model);
  const Outcome outcome = selftest(folder, space, compiler, flags);
  INFO(compiler, " ", flags, "\n", outcome.output);
  CHECK(outcome.status == 0);
  CHECK(outcome.output.find("(predict): largest error") != std::string::npos);
  CHECK(outcome.output.find("(predict_batch): largest error") != std::string::npos);
}

}  // namespace

TEST_CASE("an emitted header compiles without a warning and passes its self-test") {
  for (const std::string& compiler : {std::string("g++"), clang_name()}) {
    for (CppLevel level : {CppLevel::generic, CppLevel::avx2, CppLevel::avx512}) {
      if (!kernel::host_supports(codegen::target_for(level).isa)) continue;
      check_selftest({}, "two_by_two", compiler, "-O2 " + flags_for(level));
    }
    check_selftest({}, "two_by_two", compiler, "-O3 -march=native");
    check_selftest({}, "two_by_two", compiler, "-O2 -DTWO_BY_TWO_LEVEL=0");
  }
}

TEST_CASE("double models, names that C++ forbids, and odd sizes") {
  EmitModelOptions options;
  options.name = "2-class";
  options.scalar = kernel::Scalar::f64;
  options.input_name = "class";
  options.output_name = "rows";
  options.inputs = 1;
  options.outputs = 16;
  options.block_rows = 1;
  check_selftest(options, "n2_class", "g++", "-O1 -march=native");
}

TEST_CASE("several inputs and outputs, scalars, no weights, and names that collide") {
  using namespace kernel;
  Module module;
  module.functions.push_back(std::make_unique<Function>());
  module.functions.back()->name = "predict";  // like the public function
  Builder b(*module.functions.back());
  const Type pointer{Scalar::ptr, 1}, number{Scalar::f64, 1};
  const Value in_0 = b.param("in_0", pointer), in_1 = b.param("in_1", pointer);
  const Value out_0 = b.param("out_0", pointer), out_1 = b.param("out_1", pointer);
  const Value scalars = b.param("scalars", pointer);
  b.loop(b.i64(0), b.param("rows", {Scalar::i64, 1}), b.i64(1), [&](Value i) {
    const Value x = b.load(number, in_0, i);
    const Value index = b.convert(b.load({Scalar::i32, 1}, in_1, i), Scalar::f64);
    b.store(b.add(x, index), out_0, i);
    b.store(b.mul(x, b.load(number, scalars, b.i64(1))), out_1, i);
  });
  codegen::EmitRequest request;
  request.model = "double";
  codegen::EmitFunction& function = request.functions.emplace_back();
  function.inputs = {{"output", abi::DType::f64, {1}, ""}, {"word", abi::DType::i32, {1}, ""}};
  function.outputs = {{"word", abi::DType::f64, {1}, ""}, {"input", abi::DType::f64, {1}, ""}};
  function.scalars = {0.25, 3};
  function.block_rows = 2;
  const codegen::EmitKernels kernels{&module, "predict", 0};
  function.levels = {{CppLevel::plain, kernels, kernels}};
  for (double x : {1.5, -2.0, 7.25}) function.rows.push_back({{{x}, {4}}, {{x + 4}, {x * 3}}});
  EmitModel model;
  model.request = request;
  const TemporaryFolder folder;
  write_files(folder, model);
  const Outcome outcome = selftest(folder, "double_", "g++", "-O1");
  INFO(outcome.output);
  CHECK(outcome.status == 0);
  CHECK(outcome.output.find("word_ (predict): largest error 0,") != std::string::npos);
}

TEST_CASE("scratch above 64 KB is the caller's or the thread's") {
  EmitModelOptions options;
  options.arena_bytes = 70000;
  const EmitModel model = emit_model(options);
  const TemporaryFolder folder;
  write_files(folder, model);
  const Outcome outcome = selftest(folder, "two_by_two", "g++", "-O1");
  INFO(outcome.output);
  CHECK(outcome.status == 0);
  folder.write("main.cpp", R"(#include "two_by_two.hpp"
#include <vector>
int main() {
  const float x[two_by_two::input_size] = {1, 2, 3, 4, 5};
  float y[two_by_two::output_size], z[two_by_two::output_size];
  static_assert(two_by_two::workspace_size >= 70000);
  std::vector<unsigned char> workspace(two_by_two::workspace_size);
  two_by_two::predict(x, y, workspace.data());
  two_by_two::predict_batch(x, z, 1);
  for (std::size_t i = 0; i < two_by_two::output_size; ++i) if (!(y[i] == z[i])) return 1;
  return y[0] == 0;
})");
  const Outcome built =
      run_command(fmt::format("g++ -std=c++17 {} {} -o {} && {}", strict_warnings,
                              folder.file("main.cpp"), folder.file("main"), folder.file("main")));
  INFO(built.output);
  CHECK(built.status == 0);
}

TEST_CASE("a header in two translation units links, even of two vector levels") {
  const EmitModel model = emit_model();
  const TemporaryFolder folder;
  write_files(folder, model);
  folder.write("other.cpp",
               "#include \"two_by_two.hpp\"\n"
               "void other(const float* x, float* y) { two_by_two::predict(x, y); }\n");
  folder.write("main.cpp", R"(#include "two_by_two.hpp"
#include "two_by_two.hpp"
void other(const float* x, float* y);
int main() {
  const float x[two_by_two::x_size] = {1, 2, 3, 4, 5};
  float y[two_by_two::y_size], z[two_by_two::y_size];
  two_by_two::predict(x, y);
  other(x, z);
  double error = 0;
  for (std::size_t i = 0; i < two_by_two::y_size; ++i) error += static_cast<double>(y[i] - z[i]);
  return error < 1e-3 && error > -1e-3 ? 0 : 1;
})");
  const std::string native =
      kernel::host_supports(kernel::Isa::avx2) ? flags_for(CppLevel::avx2) : "";
  const Outcome built = run_command(fmt::format(
      "cd {} && g++ -std=c++17 -O1 {} -c other.cpp && g++ -std=c++17 -O1 -c main.cpp && "
      "g++ main.o other.o -o main && ./main",
      folder.file(""), native));
  INFO(built.output);
  CHECK(built.status == 0);
}

TEST_CASE("the self-test fails when an answer is wrong") {
  EmitModel model = emit_model();
  model.request.functions[0].rows[7].outputs[0][11] += 1;
  const TemporaryFolder folder;
  write_files(folder, model);
  const Outcome outcome = selftest(folder, "two_by_two", "g++", "-O1");
  CHECK(outcome.status != 0);
  CHECK(outcome.output.find("WRONG") != std::string::npos);
}

TEST_CASE("weights in a file of their own") {
  EmitModel model = emit_model();
  model.request.weights = EmitWeights::file;
  const TemporaryFolder folder;
  write_files(folder, model);
  const Outcome good = selftest(folder, "two_by_two", "g++", "-O1");
  INFO(good.output);
  CHECK(good.status == 0);
  // A file that was changed, or is too short, is refused.
  std::string bytes = codegen::emit(model.request)[1].bytes;
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  folder.write("two_by_two.weights", bytes);
  CHECK(run_command("cd " + folder.file("") + " && ./selftest").status != 0);
  folder.write("two_by_two.weights", bytes.substr(0, 200));
  const Outcome cut = run_command("cd " + folder.file("") + " && ./selftest");
  CHECK(cut.status != 0);
  CHECK(cut.output == "cannot read the weights in two_by_two.weights\n");
}

TEST_CASE("weights in an object file") {
  EmitModel model = emit_model();
  model.request.weights = EmitWeights::object;
  const TemporaryFolder folder;
  write_files(folder, model);
  for (const std::string& compiler : {std::string("g++"), clang_name()}) {
    if (compiler.empty()) continue;
    const Outcome outcome =
        selftest(folder, "two_by_two", compiler, "-O1 " + folder.file("two_by_two_weights.o"));
    INFO(outcome.output);
    CHECK(outcome.status == 0);
  }
}

TEST_CASE("a header with too many weights is refused with advice") {
  EmitModel model = emit_model();
  model.request.state.resize(codegen::max_header_weights + 1);
  try {
    codegen::emit(model.request);
    FAIL("no error");
  } catch (const UserError& error) {
    CHECK(error.diagnostic.message == "the weights of 'two-by-two' are too large for a header");
    CHECK(error.diagnostic.expected ==
          "at most 16 MB inside a header; use --weights object or --weights file");
    CHECK(error.diagnostic.got == "16.0 MB");
  }
  model.request.weights = EmitWeights::file;
  CHECK(codegen::emit(model.request).size() == 3);
}

TEST_CASE("identifiers of emitted code") {
  CHECK(codegen::cpp_identifier("peak-fit") == "peak_fit");
  CHECK(codegen::cpp_identifier("2d") == "n2d");
  CHECK(codegen::cpp_identifier("class") == "class_");
  CHECK(codegen::cpp_identifier("a--b__c") == "a_b_c");
  CHECK(codegen::cpp_identifier("_Name") == "Name");
  CHECK(codegen::cpp_identifier("größe") == "gr_e");
  CHECK(codegen::cpp_identifier("") == "model");
  CHECK(codegen::cpp_identifier("std") == "std_");
  CHECK(codegen::cpp_identifier("load_x") == "load_x_");
  CHECK(codegen::cpp_identifier("f32x16") == "f32x16_");
  CHECK(codegen::cpp_identifier("fox2") == "fox2");
  CHECK(codegen::cpp_identifier("exp") == "exp");
  CHECK(codegen::cpp_namespace("exp") == "exp_");
}

}  // namespace nnc::testing
