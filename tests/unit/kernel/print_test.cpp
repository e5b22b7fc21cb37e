#include <doctest/doctest.h>

#include "compiler/kernel/builder.h"
#include "compiler/kernel/canonical.h"
#include "compiler/kernel/target.h"

using namespace nnc::kernel;

namespace {

// Constants have names here, so that their numbers do not depend on how C++ orders arguments.
void relu_sum(Function& function, const char* pointer_name) {
  Builder b(function);
  const Type vector{Scalar::f32, 8};
  Value x = b.param(pointer_name, {Scalar::ptr, 1}), n = b.param("n", {Scalar::i64, 1});
  Value start = b.constant(vector, 0.1), zero = b.i64(0), eight = b.i64(8);
  auto sum = b.loop(zero, n, eight, {start}, [&](Value i, const std::vector<Value>& carried) {
    Value loaded = b.load(vector, x, i);
    Value positive = b.max(loaded, b.constant(vector, 0));
    return std::vector<Value>{b.add(carried[0], positive)};
  });
  Value low = b.shuffle(sum[0], sum[0], {1, 0});
  Value some = b.compare(Op::gt, n, zero);
  b.branch(
      some, [&] { b.store(low, x, zero); }, [&] { b.call("count", {n}); });
  b.store(b.extract(low, 1), x, n);
}

}  // namespace

TEST_CASE("the text form shows types, nesting and the names of parameters") {
  Function function;
  function.name = "relu_sum";
  function.exported = true;
  function.comment = "relu (mlp.yaml:7:5)";
  relu_sum(function, "x");
  CHECK(print(function) == R"(// relu (mlp.yaml:7:5)
export function @relu_sum(%x: ptr, %n: i64) {
  %2: f32x8 = constant 0.1
  %3: i64 = constant 0
  %4: i64 = constant 8
  %7: f32x8 = loop %5 from %3 to %n step %4 carry %6: f32x8 = %2 {
    %8: f32x8 = load %x, %5
    %9: f32x8 = constant 0
    %10: f32x8 = max %8, %9
    %11: f32x8 = add %6, %10
    yield %11
  }
  %12: f32x2 = shuffle %7, %7 [1 0]
  %13: i1 = gt %n, %3
  branch %13 {
    store %12, %x, %3
  } else {
    call @count(%n)
  }
  %14: f32 = extract %12 [1]
  store %14, %x, %n
}
)");
}

TEST_CASE("canonical forms leave out names and comments, and nothing else") {
  auto same_name = [](const std::string& name) -> const std::string& { return name; };
  Function a, b;
  a.name = "a";
  b.name = "b";
  b.comment = "another place";
  relu_sum(a, "x");
  relu_sum(b, "pixels");
  CHECK(encode(a, same_name) == encode(b, same_name));

  Function other_number, other_lane, other_callee;
  for (Function* function : {&other_number, &other_lane, &other_callee}) relu_sum(*function, "x");
  for (Instruction& instruction : other_number.body.instructions) {
    if (instruction.op == Op::constant && instruction.fimm != 0) instruction.fimm = 0.2;
  }
  for (Instruction& instruction : other_lane.body.instructions) {
    if (instruction.op == Op::extract) instruction.imm = 0;
  }
  const std::string renamed = "count_down";
  CHECK(encode(other_number, same_name) != encode(a, same_name));
  CHECK(encode(other_lane, same_name) != encode(a, same_name));
  CHECK(encode(other_callee, [&](const std::string&) -> const std::string& { return renamed; }) !=
        encode(a, same_name));
}

TEST_CASE("instruction sets have names that can be read back") {
  for (Isa isa : {Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon}) {
    Isa read = Isa::sse2;
    CHECK(parse_isa(name_of(isa), read));
    CHECK(read == isa);
    const Target target = target_for(isa);
    CHECK(target.isa == isa);
    CHECK(target.lanes(4) * 4 == target.vector_bytes);
  }
  Isa isa;
  CHECK_FALSE(parse_isa("avx1024", isa));
  CHECK(host_supports(host_target().isa));
}
