// Graphs as data: names, copies, removal, and what the verifier refuses.
#include <doctest/doctest.h>

#include "compiler/ir/builder.h"
#include "compiler/ir/op.h"
#include "compiler/support/diagnostics.h"

namespace nnc::ir {
namespace {

const Type kVector{DType::f32, {{4}}};

struct Fixture {
  Graph graph{"g", 3};
  Builder b{graph};
  Value* x = graph.add_param(ParamKind::input, "x", kVector);
  Value* w = graph.add_param(ParamKind::state, "w", kVector, "fc.kernel");
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "names are unique and clean") {
  CHECK(graph.unique_name("x") == "x_2");
  CHECK(graph.unique_name("x_2") == "x_2_2");
  CHECK(graph.unique_name("x") == "x_3");
  CHECK(graph.unique_name("fc:adam m") == "fc_adam_m");
  CHECK(graph.unique_name("") == "value");
  CHECK(b.neg(x)->name == "neg");
  CHECK(b.neg(x)->name == "neg_2");
}

TEST_CASE_FIXTURE(Fixture, "parameters are found by kind and external name") {
  CHECK(graph.find_param(ParamKind::state, "fc.kernel") == w);
  CHECK(graph.find_param(ParamKind::input, "fc.kernel") == nullptr);
  CHECK(graph.find_param(ParamKind::input, "x") == x);
}

TEST_CASE_FIXTURE(Fixture, "dead nodes go, assignments stay") {
  Value* used = b.add(x, w);
  b.neg(used);
  b.assign(w, b.mul(w, 0.5));
  graph.add_output("y", used);
  CHECK(graph.nodes.size() == 5);
  CHECK(graph.remove_dead() == 1);
  CHECK(graph.nodes.size() == 4);
  CHECK(graph.remove_dead() == 0);
  CHECK_NOTHROW(verify(graph));
}

TEST_CASE_FIXTURE(Fixture, "uses are counted and replaced, outputs too") {
  Value* y = b.neg(x);
  Value* z = b.op("mul", {y, y});
  graph.add_output("y", y);
  CHECK(users_of(graph).at(y) == std::vector<Node*>{z->node, z->node});
  graph.replace_uses(y, x);
  CHECK(z->node->operands == std::vector<Value*>{x, x});
  CHECK(graph.outputs[0].value == x);
  CHECK(graph.remove_dead() == 2);
}

TEST_CASE_FIXTURE(Fixture, "a copy is another graph with the same text") {
  graph.add_output("y", b.add(x, b.neg(w)));
  const auto copy = graph.clone();
  CHECK(print(*copy) == print(graph));
  CHECK(copy->outputs[0].value != graph.outputs[0].value);
  CHECK(copy->unique_name("neg") == graph.unique_name("neg"));
  CHECK_NOTHROW(verify(*copy));
}

TEST_CASE_FIXTURE(Fixture, "the verifier refuses broken graphs") {
  Value* y = b.neg(x);
  Value* z = b.neg(y);
  graph.add_output("z", z);
  std::string message;
  const auto refused = [&] {
    try {
      verify(graph);
    } catch (const InternalError& error) {
      message = error.what();
      return true;
    }
    return false;
  };
  const auto says = [&](const std::string& part) {
    return message.find(part) != std::string::npos;
  };
  REQUIRE_FALSE(refused());
  SUBCASE("use before definition") {
    std::swap(graph.nodes[0], graph.nodes[1]);
    CHECK(refused());
    CHECK(says("used before it is defined in: %neg_2: f32[4] = neg %neg"));
  }
  SUBCASE("two values of one name") {
    z->name = "x";
    CHECK(refused());
    CHECK(says("%x is defined twice"));
  }
  SUBCASE("a type that infer does not give") {
    z->type = {DType::f32, {{5}}};
    CHECK(refused());
    CHECK(says("%neg_2 should have type f32[4]"));
  }
  SUBCASE("operands that do not fit") {
    x->type = {DType::boolean, {{4}}};
    CHECK(refused());
    CHECK(says("neg has operands of the wrong kind"));
  }
  SUBCASE("two assignments of one state") {
    b.assign(w, x);
    b.assign(w, y);
    CHECK(refused());
    CHECK(says("%w is assigned twice"));
  }
  SUBCASE("assignment of something that is no state") {
    b.assign(y, x);
    CHECK(refused());
    CHECK(says("assign needs a state parameter"));
  }
  SUBCASE("an output from elsewhere") {
    Value stranger{kVector, "stranger", nullptr, 0};
    graph.add_output("stranger", &stranger);
    CHECK(refused());
    CHECK(says("output 'stranger' is not defined"));
  }
}

TEST_CASE("types print with their batch rows") {
  CHECK(to_string(Type{DType::f32, {{1, true}, {784}}}, 128) == "f32[128b,784]");
  CHECK(to_string(Type{DType::boolean, {{16, true}}}, 128) == "bool[128b*16]");
  CHECK(to_string(Type{DType::i64, {}}, 1) == "i64[]");
  CHECK(product({{2}, {3, true}, {5}}) == Dim{30, true});
  CHECK_THROWS_AS(product({{1, true}, {1, true}}), InternalError);
  CHECK(Type{DType::f32, {{2, true}, {5}}}.elements(3) == 30);
}

TEST_CASE("attributes know their types") {
  const Attributes attributes{{"axis", int64_t{2}}, {"shape", Shape{{3}}}, {"value", 0.5}};
  CHECK(attributes.integer("axis") == 2);
  CHECK(attributes.shape("shape") == Shape{{3}});
  CHECK(attributes.integers("lhs_batch").empty());
  CHECK_THROWS_AS(attributes.integer("value"), InternalError);
  CHECK_THROWS_AS(attributes.number("low"), InternalError);
}

}  // namespace nnc::ir
