// Random kernels, with everything that kernel IR has, printed as C++ for every level, compiled and
// run: the bits must be those of the interpreter.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>

#include "compiler/codegen/cpp_printer.h"
#include "tests/support/kernel_interpreter.h"
#include "tests/support/random_kernel.h"
#include "tests/unit/codegen/cpp_compile.h"

namespace nnc::testing {

using codegen::CppLevel;

namespace {

constexpr int all_lanes[] = {1, 2, 4, 8, 16, 32};
constexpr int64_t sizes[] = {0, 1, 7, 31, 64, 77};
constexpr uint64_t seeds = 12;

struct RandomCase {
  kernel::Module module;
  int lanes = 1;
  int64_t n = 0;
};

RandomCase random_case(uint64_t seed) {
  const int lanes = all_lanes[seed % 6];
  return {random_kernel(seed, lanes), lanes, sizes[(seed / 6) % 6]};
}

std::string translation_unit(CppLevel level) {
  std::string text = codegen::cpp_includes(level) + codegen::cpp_prologue();
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const codegen::CppText kernel = codegen::print_cpp(random_case(seed).module, level);
    text += fmt::format("namespace kernel_{} {{\n{}{}}}\n", seed, kernel.helpers, kernel.functions);
  }
  text += codegen::cpp_epilogue();
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    text += fmt::format(
        "extern \"C\" void run_{0}(unsigned char** p, std::int64_t n) {{\n"
        "  kernel_{0}::entry(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], "
        "p[9], p[10], p[11], p[12], p[13], n);\n}}\n",
        seed);
  }
  return text;
}

void check_level(CppLevel level, const std::string& compiler, const std::string& flags) {
  const kernel::Target target = codegen::target_for(level);
  if (!kernel::host_supports(target.isa) || !has_compiler(compiler)) return;
  const TemporaryFolder folder;
  folder.write("random.cpp", translation_unit(level));
  // No warnings asked for: random code compares values with themselves.
  const Outcome built = run_command(
      fmt::format("{} -std=c++17 {} {} -shared -fPIC {} -o {}", compiler, flags_for(level), flags,
                  folder.file("random.cpp"), folder.file("random.so")));
  INFO(built.output);
  REQUIRE(built.status == 0);
  const Library library(folder.file("random.so"));
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const RandomCase test = random_case(seed);
    Buffers expected(seed, test.n, test.lanes), buffers(seed, test.n, test.lanes);
    interpret(test.module, "entry", expected.arguments(), target.fma);
    std::vector<unsigned char*> pointers;
    for (auto& buffer : buffers.inputs) pointers.push_back(buffer.data());
    for (auto& buffer : buffers.outputs) pointers.push_back(buffer.data());
    using Run = void (*)(unsigned char**, int64_t);
    const auto run = reinterpret_cast<Run>(library.find(fmt::format("run_{}", seed)));
    REQUIRE(static_cast<bool>(run));
    run(pointers.data(), test.n);
    CAPTURE(seed);
    CAPTURE(test.lanes);
    CAPTURE(test.n);
    CHECK(first_difference(expected, buffers) == "");
  }
}

}  // namespace

TEST_CASE("random kernels as C++ compute what the interpreter computes") {
  SUBCASE("plain loops by clang++") { check_level(CppLevel::plain, clang_name(), "-O1"); }
  SUBCASE("generic vectors by g++") { check_level(CppLevel::generic, "g++", "-O1"); }
  SUBCASE("AVX2 by g++") { check_level(CppLevel::avx2, "g++", "-O1"); }
  SUBCASE("AVX-512 by clang++") { check_level(CppLevel::avx512, clang_name(), "-O1"); }
}

}  // namespace nnc::testing
