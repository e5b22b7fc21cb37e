// Each kernel here breaks one rule, and the error says which.
#include <doctest/doctest.h>

#include <functional>

#include "compiler/kernel/builder.h"
#include "compiler/support/diagnostics.h"

using namespace nnc;
using namespace nnc::kernel;

namespace {

constexpr Type f32{Scalar::f32, 1}, f32x8{Scalar::f32, 8}, i64{Scalar::i64, 1};

struct Broken {
  const char* rule;  // part of the message
  std::function<void(Builder&, Value p, Value n)> body;
};

Instruction& last(Builder& b) { return b.function().body.instructions.back(); }

const Broken broken[] = {
    {"wrong number of operands",
     [](Builder& b, Value, Value n) {
       b.add(n, n);
       last(b).operands.pop_back();
     }},
    {"operands of two types",
     [](Builder& b, Value p, Value n) {
       Value x = b.load(f32, p, n);
       b.add(n, n);
       last(b).operands[1] = x;
     }},
    {"result of the operands' type",
     [](Builder& b, Value, Value n) {
       b.add(n, n);
       last(b).type = last(b).results[0].type = f32;
     }},
    {"before or outside of its definition",
     [](Builder& b, Value, Value n) {
       Value inside;
       b.loop(b.i64(0), n, b.i64(1), [&](Value i) { inside = b.add(i, i); });
       b.add(inside, inside);
     }},
    {"defined twice",
     [](Builder& b, Value, Value n) {
       b.add(n, n);
       last(b).results[0] = n;
     }},
    {"the mask has one i1 per lane",
     [](Builder& b, Value p, Value n) {
       b.load(f32x8, p, n, b.constant_int({Scalar::i1, 4}, 1));
     }},
    {"the index is i64",
     [](Builder& b, Value p, Value n) { b.load(f32, p, b.convert(n, Scalar::i32)); }},
    {"needs a pointer", [](Builder& b, Value, Value n) { b.load(f32, n, n); }},
    {"no such lane", [](Builder& b, Value p, Value n) { b.extract(b.load(f32x8, p, n), 8); }},
    {"no such lane",
     [](Builder& b, Value p, Value n) {
       Value x = b.load(f32x8, p, n);
       b.shuffle(x, x, {0, 16});
     }},
    {"power of two",
     [](Builder& b, Value p, Value n) {
       b.load({Scalar::f32, 3}, p, n);
     }},
    {"sizes differ", [](Builder& b, Value, Value n) { b.bitcast(n, f32); }},
    {"needs floats", [](Builder& b, Value, Value n) { b.unary(Op::sqrt, n); }},
    {"needs integers",
     [](Builder& b, Value p, Value n) { b.unary(Op::popcount, b.load(f32, p, n)); }},
    {"no arithmetic on this type",
     [](Builder& b, Value p, Value n) {
       Value x = b.load({Scalar::bf16, 1}, p, n);
       b.add(x, x);
     }},
    {"not defined before its caller", [](Builder& b, Value, Value) { b.call("later", {}); }},
    {"yields and results differ",
     [](Builder& b, Value, Value n) {
       b.loop(b.i64(0), n, b.i64(1), {n},
              [&](Value i, const std::vector<Value>&) { return std::vector<Value>{i}; });
       last(b).body->yields.clear();
     }},
    {"needs one i1", [](Builder& b, Value, Value n) { b.branch(n, [] {}); }},
    {"needs function, state and thread", [](Builder& b, Value p, Value n) { b.barrier(p, n, n); }},
};

Module module_of(const std::function<void(Builder&, Value, Value)>& body) {
  Module module;
  module.functions.push_back(std::make_unique<Function>());
  module.functions.back()->name = "dense_1";
  Builder b(*module.functions.back());
  Value p = b.param("p", {Scalar::ptr, 1}), n = b.param("n", i64);
  body(b, p, n);
  return module;
}

}  // namespace

TEST_CASE("every broken rule is found and named") {
  for (const Broken& c : broken) {
    CAPTURE(std::string(c.rule));
    std::string message;
    try {
      verify(module_of(c.body));
    } catch (const InternalError& error) {
      message = error.what();
    }
    CAPTURE(message);
    CHECK(message.find(c.rule) != std::string::npos);
    CHECK(message.find("dense_1") != std::string::npos);
  }
}

TEST_CASE("a good kernel passes, two of one name do not") {
  Module module = module_of([](Builder& b, Value p, Value n) {
    b.loop(b.i64(0), n, b.i64(1), [&](Value i) {
      Value x = b.load(f32, p, i);
      b.branch(b.compare(Op::lt, x, b.constant(f32, 0)),
               [&] { b.store(b.unary(Op::neg, x), p, i); });
    });
  });
  CHECK_NOTHROW(verify(module));
  module.functions.push_back(std::make_unique<Function>());
  module.functions.back()->name = "dense_1";
  CHECK_THROWS_AS(verify(module), InternalError);
}
