// The form of the printed LLVM IR and of the code it becomes. What it computes is compared with
// the interpreter in tests/unit/jit.
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "compiler/jit/jit.h"
#include "compiler/kernel/builder.h"

using namespace nnc;
using namespace nnc::kernel;

namespace {

constexpr Type vector{Scalar::f32, 16};

// A kernel that stores body(x, y) of two loaded vectors.
Module around(const std::function<Value(Builder&, Value, Value)>& body) {
  Module module;
  module.functions.push_back(std::make_unique<Function>());
  Function& function = *module.functions.back();
  function.name = "kernel";
  function.exported = true;
  Builder b(function);
  Value pointer = b.param("data", {Scalar::ptr, 1});
  Value x = b.load(vector, pointer, b.i64(0)), y = b.load(vector, pointer, b.i64(16));
  Value result = body(b, x, y);
  b.store(result, pointer, b.i64(32));
  verify(module);
  return module;
}

bool has(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

struct Case {
  const char* what;
  Value (*body)(Builder&, Value, Value);
  const char* ir;        // stands in the IR for AVX-512
  const char* assembly;  // stands in its assembly
};

const Case cases[] = {
    {"min keeps its first operand", [](Builder& b, Value x, Value y) { return b.min(x, y); },
     "fcmp olt <16 x float> %v4, %v2", "vminps"},
    {"max keeps its first operand", [](Builder& b, Value x, Value y) { return b.max(x, y); },
     "fcmp olt <16 x float> %v2, %v4", "vmaxps"},
    {"muladd is fused", [](Builder& b, Value x, Value y) { return b.muladd(x, y, x); },
     "call <16 x float> @llvm.fma.v16f32", "vfmadd"},
    {"multiply and add stay two",
     [](Builder& b, Value x, Value y) { return b.add(b.mul(x, y), x); }, "fadd <16 x float>",
     "vmulps"},
    {"floor", [](Builder& b, Value x, Value) { return b.unary(Op::floor, x); },
     "@llvm.floor.v16f32", "vrndscaleps"},
    {"round to even", [](Builder& b, Value x, Value) { return b.unary(Op::round_even, x); },
     "@llvm.roundeven.v16f32", "vrndscaleps"},
    {"square root", [](Builder& b, Value x, Value) { return b.unary(Op::sqrt, x); },
     "@llvm.sqrt.v16f32", "vsqrtps"},
    {"absolute value", [](Builder& b, Value x, Value) { return b.unary(Op::abs, x); },
     "@llvm.fabs.v16f32", "vandps"},
    {"splat", [](Builder& b, Value x, Value) { return b.splat(b.extract(x, 0), 16); },
     "shufflevector <16 x float>", "vbroadcastss"},
    {"select by a mask",
     [](Builder& b, Value x, Value y) { return b.select(b.compare(Op::lt, x, y), y, b.mul(x, x)); },
     "select <16 x i1>", "{%k1}"},
};

}  // namespace

TEST_CASE("instructions are printed one by one and become the instruction that is meant") {
  const Target target = target_for(Isa::avx512);
  for (const Case& c : cases) {
    CAPTURE(std::string(c.what));
    const Module module = around(c.body);
    const std::string ir = jit::emit_llvm_ir(module, target);
    const std::string assembly = jit::emit_assembly(module, target);
    CAPTURE(ir);
    CAPTURE(assembly);
    CHECK(has(ir, c.ir));
    CHECK(has(assembly, c.assembly));
    for (const char* flag : {"fast", "nnan", "ninf", "nsz", "arcp", "contract", "reassoc"}) {
      CHECK_FALSE(has(ir, std::string(" ") + flag + " "));
    }
  }
  const auto separate = [](Builder& b, Value x, Value y) { return b.add(b.mul(x, y), x); };
  CHECK_FALSE(has(jit::emit_assembly(around(separate), target), "vfmadd"));
}

TEST_CASE("without fused multiply-add, muladd multiplies and adds") {
  const Module module = around([](Builder& b, Value x, Value y) { return b.muladd(x, y, x); });
  const std::string ir = jit::emit_llvm_ir(module, target_for(Isa::sse2));
  CHECK(has(ir, "fmul <16 x float>"));
  CHECK(has(ir, "fadd <16 x float>"));
  CHECK_FALSE(has(ir, "llvm.fma"));
}

TEST_CASE("nothing is called, on any level") {
  for (const Case& c : cases) {
    for (Isa isa : {Isa::sse2, Isa::avx2, Isa::avx512}) {
      CAPTURE(std::string(c.what));
      CAPTURE(std::string(name_of(isa)));
      CHECK_FALSE(has(jit::emit_assembly(around(c.body), target_for(isa)), "call"));
    }
  }
}

TEST_CASE("a broadcast of a loaded value reads memory once") {
  Module module;
  module.functions.push_back(std::make_unique<Function>());
  module.functions.back()->name = "kernel";
  module.functions.back()->exported = true;
  Builder b(*module.functions.back());
  Value p = b.param("p", {Scalar::ptr, 1}), n = b.param("n", {Scalar::i64, 1});
  auto sum = b.loop(b.i64(0), n, b.i64(1), {b.constant(vector, 0)},
                    [&](Value i, const std::vector<Value>& carried) {
                      Value x = b.splat(b.load({Scalar::f32, 1}, p, i), 16);
                      return std::vector<Value>{b.add(carried[0], x)};
                    });
  b.store(sum[0], p, b.i64(0));
  const std::string assembly = jit::emit_assembly(module, target_for(Isa::avx512));
  CHECK(has(assembly, "{1to16}"));
  CHECK_FALSE(has(assembly, "vmovss"));
}

TEST_CASE("loops are neither unrolled nor turned into library calls") {
  Module module;
  module.functions.push_back(std::make_unique<Function>());
  module.functions.back()->name = "clear";
  module.functions.back()->exported = true;
  Builder b(*module.functions.back());
  Value p = b.param("p", {Scalar::ptr, 1}), n = b.param("n", {Scalar::i64, 1});
  b.loop(b.i64(0), n, b.i64(1), [&](Value i) { b.store(b.constant({Scalar::u8, 1}, 0), p, i); });
  const std::string assembly = jit::emit_assembly(module, target_for(Isa::avx512));
  CHECK_FALSE(has(assembly, "memset"));
  size_t stores = 0;
  for (size_t at = assembly.find("movb"); at != std::string::npos;
       at = assembly.find("movb", at + 1)) {
    ++stores;
  }
  CHECK(stores == 1);
  const std::string ir = jit::emit_llvm_ir(module, target_for(Isa::avx512));
  for (const char* word :
       {"llvm.loop.unroll.disable", "llvm.loop.vectorize.enable", "no-builtins",
        "noinline nounwind", "\"prefer-vector-width\"=\"512\"", "\"target-cpu\"=\"x86-64-v4\""}) {
    CAPTURE(std::string(word));
    CHECK(has(ir, word));
  }
}

TEST_CASE("loops between constants need no guard, and empty ones vanish") {
  auto blocks = [](int64_t lo, int64_t hi) {
    Module module = around([&](Builder& b, Value x, Value y) {
      return b.loop(b.i64(lo), b.i64(hi), b.i64(1), {x}, [&](Value, const std::vector<Value>& c) {
        return std::vector<Value>{b.mul(c[0], y)};
      })[0];
    });
    return jit::emit_llvm_ir(module, target_for(Isa::avx2));
  };
  CHECK(has(blocks(0, 3), "br i1"));
  CHECK_FALSE(has(blocks(0, 3), "br i1 true"));
  CHECK_FALSE(has(blocks(3, 3), "br "));
}
