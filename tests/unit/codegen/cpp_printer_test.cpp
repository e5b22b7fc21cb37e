#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <map>

#include "compiler/codegen/cpp_printer.h"
#include "compiler/jit/jit.h"
#include "compiler/kernel/builder.h"
#include "tests/unit/codegen/cpp_compile.h"
#include "tests/unit/codegen/cpp_operations.h"

namespace nnc::testing {

using codegen::CppLevel;
using kernel::Builder;
using kernel::Scalar;
using kernel::Type;
using kernel::Value;

namespace {

using OperationFunction = void (*)(const void*, const void*, const void*, void*);

std::string translation_unit(const kernel::Module& module, CppLevel level) {
  const codegen::CppText text = codegen::print_cpp(module, level);
  std::string result = codegen::cpp_includes(level) + codegen::cpp_prologue() +
                       "namespace kernels {\n" + text.helpers + text.functions + "}\n" +
                       codegen::cpp_epilogue();
  for (const auto& function : module.functions) {
    result += fmt::format(
        "extern \"C\" void run_{0}(unsigned char* a, unsigned char* b, unsigned char* c, "
        "unsigned char* out) {{\n  kernels::{0}(a, b, c, out);\n}}\n",
        function->name);
  }
  return result;
}

// Bytes of an operation's results; NaNs are made equal, because IEEE leaves their bits open.
std::vector<unsigned char> results_of(const OperationCase& test, OperationFunction function) {
  std::vector<unsigned char> operands[3];
  for (int i = 0; i < 3; ++i) operands[i] = operand_bytes(test, i);
  const size_t count = static_cast<size_t>(blocks * test.lanes);
  std::vector<unsigned char> out(count * static_cast<size_t>(kernel::bytes_of(test.out)), 0xee);
  function(operands[0].data(), operands[1].data(), operands[2].data(), out.data());
  for (size_t i = 0; i < count; ++i) {
    if (test.out == Scalar::f32) {
      float value;
      std::memcpy(&value, &out[i * 4], 4);
      if (std::isnan(value)) std::memset(&out[i * 4], 0xff, 4);
    } else if (test.out == Scalar::f64) {
      double value;
      std::memcpy(&value, &out[i * 8], 8);
      if (std::isnan(value)) std::memset(&out[i * 8], 0xff, 8);
    }
  }
  return out;
}

std::unique_ptr<jit::Executable> compile_native(const kernel::Module& module, CppLevel level) {
  jit::Options options;
  options.target = codegen::target_for(level);
  options.compile_threads = 2;
  return jit::compile(module, options);
}

// Every operation, compiled by the JIT and by a C++ compiler: the same bits.
void check_level(CppLevel level, const std::string& compiler) {
  if (!kernel::host_supports(codegen::target_for(level).isa) || !has_compiler(compiler)) return;
  kernel::Module module;
  const std::vector<OperationCase> cases = operation_cases(module);
  const auto native = compile_native(module, level);
  const TemporaryFolder folder;
  folder.write("operations.cpp", translation_unit(module, level));
  // Optimisation, and above all contraction, as far as the compiler's own defaults go.
  const Outcome built = run_command(
      fmt::format("{} -std=c++17 -O1 {} {} -shared -fPIC {} -o {}", compiler, strict_warnings,
                  flags_for(level), folder.file("operations.cpp"), folder.file("operations.so")));
  INFO(built.output);
  REQUIRE(built.status == 0);
  const Library library(folder.file("operations.so"));
  int different = 0;
  for (const OperationCase& test : cases) {
    const auto emitted = reinterpret_cast<OperationFunction>(library.find("run_" + test.name));
    const auto trained = reinterpret_cast<OperationFunction>(native->lookup(test.name));
    REQUIRE(static_cast<bool>(emitted));
    REQUIRE(static_cast<bool>(trained));
    const bool same = results_of(test, emitted) == results_of(test, trained);
    CHECK_MESSAGE(same, test.name, " at ", codegen::name_of(level), " with ", compiler);
    different += !same;
  }
  CHECK(different == 0);
}

}  // namespace

// Each level by one of the two compilers; the random kernels are compiled by the other one.
TEST_CASE("every operation gives the JIT's bits: plain loops by g++") {
  check_level(CppLevel::plain, "g++");
}
TEST_CASE("every operation gives the JIT's bits: generic vectors by clang++") {
  check_level(CppLevel::generic, clang_name());
}
TEST_CASE("every operation gives the JIT's bits: AVX2 by clang++") {
  check_level(CppLevel::avx2, clang_name());
}
TEST_CASE("every operation gives the JIT's bits: AVX-512 by g++") {
  check_level(CppLevel::avx512, "g++");
}

TEST_CASE("functions read like code that a person wrote") {
  kernel::Module module;
  module.functions.push_back(std::make_unique<kernel::Function>());
  kernel::Function& function = *module.functions.back();
  function.name = "scale.rows";
  function.comment = "y = x * w\\\nby rows";  // a backslash must not swallow the next line
  Builder b(function);
  const Type pointer{Scalar::ptr, 1}, vector{Scalar::f32, 16};
  const Value x = b.param("class", pointer), w = b.param("w", pointer), y = b.param("y", pointer);
  const Value rows = b.param("rows", {Scalar::i64, 1});
  b.param("thread", {Scalar::i64, 1});
  b.load(vector, w, b.i64(99));  // unused: not printed
  b.loop(b.i64(0), rows, b.i64(1), [&](Value row) {
    const auto sums = b.loop(b.i64(0), b.i64(64), b.i64(16), {b.constant(vector, 0.0)},
                             [&](Value k, const std::vector<Value>& sum) -> std::vector<Value> {
                               const Value at = b.add(b.mul(row, b.i64(64)), b.add(k, b.i64(0)));
                               const Value left = b.load(vector, x, at),
                                           right = b.load(vector, w, k);
                               return {b.muladd(left, right, sum[0])};
                             });
    b.store(sums[0], y, b.mul(row, b.i64(16)));
  });
  CHECK(codegen::print_cpp(module, CppLevel::avx512).functions == R"(// y = x * w
// by rows
inline void scale_rows(ptr class_, ptr w, ptr y, i64 rows, i64 /*thread*/) noexcept {
  for (i64 i = 0; i < rows; ++i) {
    f32x16 c14 = splat_f32x16(0.0f);
    for (i64 j = 0; j < 64; j += 16) {
      const f32x16 v18 = load_f32x16(class_, i * 64 + j);
      const f32x16 v19 = load_f32x16(w, j);
      const f32x16 v20 = muladd(v18, v19, c14);
      c14 = v20;
    }
    store(y, i * 16, c14);
  }
}
)");
}

}  // namespace nnc::testing
