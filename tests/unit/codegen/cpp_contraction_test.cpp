// A product and a sum may not become one fused multiply-add behind the printer's back, which is
// what GCC does by default. (clang under -ffp-contract=fast does it in its backend, and no pragma
// of a header can stop that: the header's comment says so.)
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "compiler/codegen/cpp_printer.h"
#include "compiler/kernel/builder.h"
#include "compiler/kernel/target.h"
#include "tests/unit/codegen/cpp_compile.h"

namespace nnc::testing {

using codegen::CppLevel;
using kernel::Builder;
using kernel::Type;
using kernel::Value;

namespace {

constexpr int count = 64;

// out = a * b + c, as a product and a sum, in vectors and (the last 16) one by one.
kernel::Module product_and_sum() {
  kernel::Module module;
  module.functions.push_back(std::make_unique<kernel::Function>());
  module.functions.back()->name = "product_and_sum";
  Builder b(*module.functions.back());
  const Type pointer{kernel::Scalar::ptr, 1};
  const Value pa = b.param("a", pointer), pb = b.param("b", pointer), pc = b.param("c", pointer);
  const Value out = b.param("out", pointer);
  const auto over = [&](int from, int to, int lanes) {
    const Type type{kernel::Scalar::f32, lanes};
    b.loop(b.i64(from), b.i64(to), b.i64(lanes), [&](Value i) {
      const Value product = b.mul(b.load(type, pa, i), b.load(type, pb, i));
      b.store(b.add(product, b.load(type, pc, i)), out, i);
    });
  };
  over(0, count - 16, 16);
  over(count - 16, count, 1);
  return module;
}

// How many of the sums were not rounded twice.
int fused_results(CppLevel level, const std::string& compiler, const std::string& flags,
                  bool with_prologue) {
  const codegen::CppText text = codegen::print_cpp(product_and_sum(), level);
  const TemporaryFolder folder;
  folder.write("sum.cpp",
               codegen::cpp_includes(level) + (with_prologue ? codegen::cpp_prologue() : "") +
                   "namespace kernels {\n" + text.helpers + text.functions + "}\n" +
                   (with_prologue ? codegen::cpp_epilogue() : "") +
                   "extern \"C\" void run(unsigned char* a, unsigned char* b, unsigned char* c, "
                   "unsigned char* out) { kernels::product_and_sum(a, b, c, out); }\n");
  const Outcome built = run_command(fmt::format("{} -std=c++17 {} {} -shared -fPIC {} -o {}",
                                                compiler, flags_for(level), flags,
                                                folder.file("sum.cpp"), folder.file("sum.so")));
  INFO(built.output);
  REQUIRE(built.status == 0);
  const Library library(folder.file("sum.so"));
  using Run = void (*)(const float*, const float*, const float*, float*);
  const auto run = reinterpret_cast<Run>(library.find("run"));
  REQUIRE(static_cast<bool>(run));
  float a[count], b[count], c[count], out[count];
  for (int i = 0; i < count; ++i) {
    a[i] = 1 + static_cast<float>(i + 1) * 0x1p-20f;
    b[i] = 1 - static_cast<float>(i + 1) * 0x1p-20f;
    c[i] = -1;
  }
  run(a, b, c, out);
  int fused = 0;
  for (int i = 0; i < count; ++i) {
    const volatile float product = a[i] * b[i];
    fused += out[i] != product + c[i];
  }
  return fused;
}

}  // namespace

TEST_CASE("products and sums are rounded one after the other") {
  if (!kernel::host_supports(kernel::Isa::avx2)) return;
  for (const std::string& compiler : {std::string("g++"), clang_name()}) {
    if (compiler.empty()) continue;
    for (const std::string flags : {"-O3", compiler == "g++" ? "-O2 -ffp-contract=fast" : "-O1"}) {
      CAPTURE(compiler);
      CAPTURE(flags);
      CHECK(fused_results(CppLevel::avx2, compiler, flags, true) == 0);
    }
  }
  // The test can fail: left alone, GCC contracts.
  CHECK(fused_results(CppLevel::avx2, "g++", "-O3", false) > count / 2);
}

}  // namespace nnc::testing
