// Several models, and several runs of one, in one program.
#include <doctest/doctest.h>

#include "tests/unit/codegen/emit_files.h"

namespace nnc::testing {

using codegen::EmitWeights;

namespace {

// Another run of the same network: other weights, and the answers that they give.
EmitModel other_run(const EmitModelOptions& options = {}) {
  EmitModel model = emit_model(options);
  for (size_t i = 3; i < model.request.state.size(); i += 4)
    model.request.state[i] ^= 0x80;  // signs of floats
  model.request.run = "two-by-two-002";
  model.request.header_name = "other.hpp";
  for (auto& row : model.request.functions[0].rows)
    for (double& value : row.outputs[0]) value = -value;
  return model;
}

constexpr const char* first_source = R"(#include "two_by_two.hpp"
#include <cstdio>
float other(const float* x);
int main() {
  const float x[two_by_two::x_size] = {1, 2, 3, 4, 5};
  float y[two_by_two::y_size];
  two_by_two::predict(x, y);
  const float z = other(x);
  std::printf("%g %g\n", static_cast<double>(y[0]), static_cast<double>(z));
  return y[0] != 0 && y[0] == -z ? 0 : 1;
})";

constexpr const char* second_source = R"(#include "other.hpp"
float other(const float* x) {
  float y[two_by_two::y_size];
  two_by_two::predict(x, y);
  return y[0];
})";

}  // namespace

TEST_CASE("two runs of one model in one program keep their answers") {
  for (const EmitWeights weights : {EmitWeights::header, EmitWeights::object}) {
    EmitModel one = emit_model(), two = other_run();
    one.request.weights = two.request.weights = weights;
    const TemporaryFolder folder;
    write_files(folder, one);
    write_files(folder, two);
    folder.write("first.cpp", first_source);
    folder.write("second.cpp", second_source);
    const bool linked = weights == EmitWeights::object;
    for (const std::string& compiler : {std::string("g++"), clang_name()}) {
      if (compiler.empty()) continue;
      const Outcome built = build(folder, compiler,
                                  std::string("first.cpp second.cpp") +
                                      (linked ? " two_by_two_weights.o other_weights.o" : ""));
      INFO(built.output);
      CHECK(built.status == 0);
      const Outcome said = run_command(folder.file("main"));
      INFO(said.output);
      CHECK(said.status == 0);
    }
  }
}

TEST_CASE("two versions of a header in one source file are refused in words") {
  const TemporaryFolder folder;
  write_files(folder, emit_model());
  write_files(folder, other_run());
  folder.write("main.cpp", "#include \"two_by_two.hpp\"\n#include \"other.hpp\"\nint main() {}\n");
  const Outcome built = build(folder, "g++", "main.cpp");
  CHECK(built.status != 0);
  CHECK(built.output.find("other.hpp:") != std::string::npos);
  CHECK(built.output.find("two different headers called 'two_by_two' in one source file (this one "
                          "is of the model 'two-by-two'): give one another name with nnc emit "
                          "--name NAME") != std::string::npos);
  CHECK(built.output.find("redefinition") == std::string::npos);
  // Under another name they stand side by side.
  EmitModel named = other_run();
  named.request.name = "second";
  write_files(folder, named);
  folder.write("main.cpp", R"(#include "two_by_two.hpp"
#include "other.hpp"
int main() {
  const float x[second::x_size] = {1, 2, 3, 4, 5};
  float y[second::y_size], z[second::y_size];
  two_by_two::predict(x, y);
  second::predict(x, z);
  return y[0] == -z[0] ? 0 : 1;
})");
  const Outcome both = build(folder, "g++", "main.cpp");
  INFO(both.output);
  CHECK(both.status == 0);
  CHECK(run_command(folder.file("main")).status == 0);
}

TEST_CASE("before C++17 a header says what it needs") {
  const TemporaryFolder folder;
  write_files(folder, emit_model());
  folder.write("main.cpp", "#include \"two_by_two.hpp\"\nint main() {}\n");
  folder.write("main.c", "#include \"two_by_two.hpp\"\nint main(void) { return 0; }\n");
  for (const char* command : {"g++ -std=c++14 main.cpp", "gcc -std=c99 main.c"}) {
    const Outcome built = run_command("cd " + folder.file("") + " && " + command);
    CHECK(built.status != 0);
    CHECK(built.output.find("#error \"two_by_two.hpp needs C++17: compile with -std=c++17") !=
          std::string::npos);
    CHECK(built.output.find("namespace") == std::string::npos);
  }
}

TEST_CASE("weights of another run of the same network fit, those of another network do not") {
  EmitModel model = emit_model(), same = other_run(), wrong;
  EmitModelOptions options;
  options.arena_bytes = 64;  // as many weights, but other kernels
  wrong = other_run(options);
  for (EmitModel* each : {&model, &same, &wrong}) each->request.weights = EmitWeights::file;
  const TemporaryFolder folder;
  write_files(folder, model);
  const auto with = [&](const EmitModel& other) {
    folder.write("two_by_two.weights", codegen::emit(other.request)[1].bytes);
    return run_command("cd " + folder.file("") + " && ./selftest").output;
  };
  CHECK(selftest(folder, "two_by_two", "g++", "-O1").status == 0);
  CHECK(with(same).find("WRONG") != std::string::npos);  // read, and other answers
  CHECK(with(wrong) == "cannot read the weights in two_by_two.weights\n");
  CHECK(with(model).find("WRONG") == std::string::npos);

  for (EmitModel* each : {&model, &same, &wrong}) each->request.weights = EmitWeights::object;
  write_files(folder, model);
  const auto linked = [&](const EmitModel& other) {
    const codegen::EmittedFile object =
        codegen::weights_object(other.request, codegen::ObjectMachine::x86_64);
    folder.write("chosen.o", object.bytes);
    const std::string text = codegen::emit(model.request)[0].bytes;
    const size_t at = text.find("-Wl,--defsym=");
    const std::string flag = text.substr(at, text.find('\n', at) - at);
    return build(folder, "g++", "two_by_two_selftest.cpp chosen.o " + flag).status;
  };
  CHECK(linked(same) == 0);
  CHECK(linked(wrong) != 0);
}

}  // namespace nnc::testing
