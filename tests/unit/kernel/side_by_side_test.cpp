// Parts of code with their instructions in turn: the same numbers, in another order.
#include <doctest/doctest.h>

#include "compiler/kernel/builder.h"
#include "tests/support/kernel_interpreter.h"

namespace {

using namespace nnc::kernel;
using nnc::testing::interpret;
using nnc::testing::lane_of;

constexpr Type pointer{Scalar::ptr, 1}, f32{Scalar::f32, 1};

// out[i] = (in[i] · in[0] + 1) · (in[i] · in[0]), where every part after the first one uses the
// first one's in[0]; `looped`: through a loop of one step.
std::unique_ptr<Function> kernel_of(int64_t count, int64_t at_a_time, bool looped) {
  auto function = std::make_unique<Function>();
  function->name = "parts";
  function->exported = true;
  Builder k(*function);
  const Value in = k.param("in", pointer), out = k.param("out", pointer);
  Value shared;
  k.side_by_side(count, at_a_time, [&](int64_t i) {
    const Value own = k.load(f32, in, k.i64(i));
    if (!shared) shared = k.load(f32, in, k.i64(0));
    const Value product = k.mul(own, shared);
    const auto finish = [&] {
      const Value sum = k.add(product, k.constant(f32, 1));
      k.store(k.mul(sum, product), out, k.i64(i));
    };
    looped ? k.loop(k.i64(0), k.i64(1), k.i64(1), [&](Value) { finish(); }) : finish();
  });
  return function;
}

std::vector<float> run(int64_t count, int64_t at_a_time, bool looped = false) {
  Module module;
  module.functions.push_back(kernel_of(count, at_a_time, looped));
  verify(module);
  std::vector<float> in, out(static_cast<size_t>(count), 0);
  for (int64_t i = 0; i < count; ++i) in.push_back(0.75F + static_cast<float>(i));
  interpret(module, "parts", {lane_of(in.data()), lane_of(out.data())}, true);
  return out;
}

// The operations of the outermost block, without numbers for places.
std::vector<Op> order_of(int64_t count, int64_t at_a_time, bool looped = false) {
  std::vector<Op> order;
  const auto function = kernel_of(count, at_a_time, looped);
  for (const Instruction& instruction : function->body.instructions)
    if (instruction.op != Op::constant) order.push_back(instruction.op);
  return order;
}

TEST_CASE("parts side by side compute what they compute one after the other") {
  for (const int64_t count : {1, 2, 3, 4, 7, 8, 13}) {
    const std::vector<float> expected = run(count, 1);
    CHECK(expected[0] == (0.75F * 0.75F + 1) * (0.75F * 0.75F));
    for (const int64_t at_a_time : {2, 3, 4, 16}) {
      CAPTURE(count);
      CAPTURE(at_a_time);
      CHECK(run(count, at_a_time) == expected);
      CHECK(run(count, at_a_time, true) == expected);
    }
  }
}

TEST_CASE("instructions of the parts come in turn, and all stores behind them") {
  // The first part has a load more, so the second one is a step ahead of it but for what it waits
  // for.
  CHECK(order_of(2, 2) == std::vector{Op::load, Op::load, Op::load, Op::mul, Op::mul, Op::add,
                                      Op::add, Op::mul, Op::mul, Op::store, Op::store});
  CHECK(order_of(2, 1) == std::vector{Op::load, Op::load, Op::mul, Op::add, Op::mul, Op::store,
                                      Op::load, Op::mul, Op::add, Op::mul, Op::store});
}

TEST_CASE("parts with loops stay one after the other") {
  CHECK(order_of(3, 3, true) == order_of(3, 1, true));
}

}  // namespace
