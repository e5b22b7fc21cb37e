// Which masked stores of one row become whole, and which must not.
#include <doctest/doctest.h>

#include "compiler/kernel/builder.h"
#include "compiler/kernel/widen_stores.h"

namespace {

using namespace nnc::kernel;

constexpr Type pointer{Scalar::ptr, 1}, index_type{Scalar::i64, 1}, vector_type{Scalar::f32, 16};

struct Sample {
  int64_t place = 64;     // of the buffer in the arena
  int64_t stride = 10;    // elements from row to row
  int64_t column = 0;     // where the store begins in its row
  int64_t lanes_on = 10;  // of 16
  bool piecewise = false;
  bool known_rows = true;
  bool to_output = false;
};

std::unique_ptr<Function> kernel_of(const Sample& sample) {
  auto function = std::make_unique<Function>();
  function->name = "fill";
  Builder k(*function);
  const Value out = k.param("out", pointer);
  const Value begin = k.param("begin", index_type), end = k.param("end", index_type);
  k.loop(begin, end, k.i64(1), [&](Value row) {
    const Type lanes{Scalar::i32, 16};
    const Value count = k.splat(k.convert(k.i64(sample.lanes_on), Scalar::i32), 16);
    const Value mask = k.compare(Op::lt, k.iota(lanes), count);
    const Value at = k.add(k.mul(row, k.i64(sample.stride)), k.i64(sample.column));
    k.store(k.constant(vector_type, 1), out, at, mask);
    if (sample.piecewise) k.store(k.constant({Scalar::f32, 1}, 2), out, k.add(at, k.i64(10)));
  });
  return function;
}

int widened(const Sample& sample) {
  Module module;
  module.functions.push_back(kernel_of(sample));
  auto core = std::make_unique<Function>();
  core->name = "core";
  Builder k(*core);
  const Value arena = k.param("arena", pointer), output = k.param("out_0", pointer);
  const Value rows = k.param(sample.known_rows ? "rows" : "count", index_type);
  const Value buffer = k.offset(arena, k.i64(sample.place));
  k.branch(k.compare(Op::lt, k.i64(0), rows), [&] {
    k.call("fill", {sample.to_output ? output : buffer, k.i64(0), k.min(rows, k.i64(8))});
  });
  module.functions.push_back(std::move(core));
  const int count = widen_stores(module, "core");
  verify(module);
  return count;
}

TEST_CASE(
    "a masked store into the arena becomes whole where it begins at a multiple of its width") {
  CHECK(widened({}) == 1);
  CHECK(widened({.column = 16}) == 1);
  CHECK(widened({.column = 8}) == 0);
  CHECK(widened({.lanes_on = 0}) == 0);
}

TEST_CASE("rows side by side are safe only if there is one, or their stride is a whole vector") {
  CHECK(widened({.known_rows = false}) == 0);
  CHECK(widened({.stride = 32, .known_rows = false}) == 1);
}

TEST_CASE("masks stay where other values may follow without a gap") {
  CHECK(widened({.place = 40}) == 0);
  CHECK(widened({.piecewise = true}) == 0);
  CHECK(widened({.to_output = true}) == 0);
}

}  // namespace
