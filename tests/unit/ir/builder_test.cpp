// What the builder inserts and leaves out, and what the user is told when shapes do not fit.
#include <doctest/doctest.h>

#include <cmath>

#include "compiler/ir/builder.h"
#include "compiler/ir/op.h"
#include "compiler/support/diagnostics.h"

namespace nnc::ir {
namespace {

struct Fixture {
  Graph graph{"g", 2};
  Builder b{graph};
  Value* rows = graph.add_param(ParamKind::input, "rows", {DType::f32, {{1, true}, {3}}});
  Value* vector = graph.add_param(ParamKind::state, "vector", {DType::f32, {{3}}});
  Value* column = graph.add_param(ParamKind::state, "column", {DType::f32, {{3}, {1}}});

  // What is reported for `build`: "message | expected | got".
  template <typename Build>
  std::string error(Build build) {
    try {
      build();
    } catch (const UserError& e) {
      return e.diagnostic.message + " | " + e.diagnostic.expected + " | " + e.diagnostic.got;
    }
    return "no error";
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "operands are broadcast as NumPy does") {
  CHECK(to_string(b.add(rows, vector)->type, 2) == "f32[2b,3]");
  CHECK(to_string(b.add(vector, rows)->type, 2) == "f32[2b,3]");
  CHECK(to_string(b.mul(vector, column)->type, 2) == "f32[3,3]");
  Value* scalar = b.constant(2, DType::f32);
  CHECK(b.mul(rows, scalar)->type == rows->type);
  CHECK(to_string(b.select(b.compare("lt", vector, column), scalar, vector)->type, 2) ==
        "f32[3,3]");
  CHECK_NOTHROW(verify(graph));
}

TEST_CASE_FIXTURE(Fixture, "neutral operations add no node") {
  const size_t before = graph.nodes.size();
  CHECK(b.add(rows, 0.0) == rows);
  CHECK(b.mul(rows, 1.0) == rows);
  CHECK(b.reshape(rows, rows->type.shape) == rows);
  CHECK(b.transpose(rows, {0, 1}) == rows);
  CHECK(b.cast(rows, DType::f32) == rows);
  CHECK(b.sum(rows, {}) == rows);
  CHECK(b.slice(rows, {0, 0}, rows->type.shape) == rows);
  CHECK(b.pad(rows, {0, 0}, {0, 0}) == rows);
  CHECK(graph.nodes.size() == before);
  CHECK(b.mul(b.constant_like(1, rows), rows) == rows);
  CHECK(b.sub(rows, b.constant(0, DType::f32)) == rows);
  CHECK(b.div(rows, b.constant(1, DType::f32)) == rows);
  // 1/x and 0-x are no neutral operations.
  CHECK(b.div(b.constant_like(1, rows), rows)->node->op->name == "div");
  CHECK(b.sub(b.constant_like(0, rows), rows)->node->op->name == "sub");
}

TEST_CASE_FIXTURE(Fixture, "errors name the op, what fits and both shapes") {
  Value* five = graph.add_param(ParamKind::state, "five", {DType::f32, {{5}}});
  CHECK(error([&] { b.add(rows, five); }) ==
        "add cannot combine two shapes | equal sizes, or 1, in each dimension counted from the "
        "last | [2b,3] and [5]");
  CHECK(error([&] {
          b.op("add", {rows, vector});
        }) == "add has operands of two types | operands of one type | f32[2b,3] and f32[3]");
  CHECK(error([&] { b.contract(rows, five, {1}, {0}); }) ==
        "a product sums over dimensions of two sizes | dimension 1 of the first operand equal to "
        "dimension 0 of the second | f32[2b,3] and f32[5]");
  CHECK(error([&] { b.reshape(rows, {{4}}); }) ==
        "reshape cannot change the number of elements | a value that fills [4] | f32[2b,3]");
  CHECK(error([&] {
          b.concat({rows, vector}, 1);
        }) ==
        "concat cannot join its operands | operands of one rank, joined along an axis that does "
        "not count batch rows | f32[2b,3] and f32[3]");
  CHECK(error([&] {
          b.slice(rows, {0, 2}, {{1, true}, {2}});
        }) ==
        "slice [2b,2] does not lie within its operand | starts and steps that stay inside each "
        "dimension, and whole dimensions of batch rows | f32[2b,3]");
  CHECK(error([&] { b.unary("exp", b.cast(rows, DType::i32)); }) ==
        "exp has operands of the wrong kind | floating-point elements | i32[2b,3]");
}

TEST_CASE("a span set on the builder is the span of its nodes and its errors") {
  Graph graph;
  Builder b(graph);
  const auto file = std::make_shared<SourceFile>(SourceFile{"m.yaml", "a"});
  b.set_span({file, 4, 2, 1});
  Value* c = b.constant(1, DType::f32, {{2}});
  CHECK(c->node->span.line == 4);
  try {
    b.op("reshape", {c}, {{"shape", Shape{{3}}}});
    FAIL("accepted");
  } catch (const UserError& error) {
    CHECK(error.diagnostic.span.path() == "m.yaml");
    CHECK(error.diagnostic.span.column == 2);
  }
}

TEST_CASE("argmax is the first of the largest, and an index whatever comes") {
  Graph graph("g", 5);
  Builder b(graph);
  Value* x = graph.add_param(ParamKind::input, "x", {DType::f32, {{1, true}, {3}}});
  graph.add_output("index", b.argmax(x, 1));
  CHECK(graph.outputs[0].value->type == Type{DType::i32, {{1, true}}});
  const Tensor values{{5, 3}, {1, 5, 2, 4, 4, 1, -1, -3, -2, 0, 0, 0, NAN, NAN, NAN}};
  CHECK(evaluate(graph, {{"x", values}}).at("index").data == std::vector<double>{1, 0, 0, 0, 2});
}

TEST_CASE("evaluation reads parameters by either name and returns assigned states") {
  Graph graph;
  Builder b(graph);
  Value* w = graph.add_param(ParamKind::state, "w", {DType::f32, {{2}}}, "fc.kernel");
  Value* rate = graph.add_param(ParamKind::scalar, "rate", {DType::f32, {}});
  b.assign(w, b.sub(w, b.mul(b.constant_like(1, w), rate)));
  graph.add_output("old", b.mul(w, 2.0));  // readers see the old value
  const auto results = evaluate(graph, {{"fc.kernel", {{2}, {1, 2}}}, {"rate", {{}, {0.5}}}});
  CHECK(results.at("old").data == std::vector<double>{2, 4});
  CHECK(results.at("state:fc.kernel").data == std::vector<double>{0.5, 1.5});
  CHECK_THROWS_AS(evaluate(graph, {{"w", {{2}, {1, 2}}}}), InternalError);
  CHECK_THROWS_AS(evaluate(graph, {{"w", {{3}, {1, 2, 3}}}, {"rate", {{}, {1}}}}), InternalError);
}

TEST_CASE("integers wrap in the reference as in kernels") {
  Graph graph;
  Builder b(graph);
  Value* x = graph.add_param(ParamKind::state, "x", {DType::i32, {{2}}});
  graph.add_output("double", b.add(x, x));
  graph.add_output("byte", b.cast(x, DType::u8));
  const auto results = evaluate(graph, {{"x", {{2}, {2147483647, 300}}}});
  CHECK(results.at("double").data == std::vector<double>{-2, 600});
  CHECK(results.at("byte").data == std::vector<double>{255, 44});
}

}  // namespace nnc::ir
