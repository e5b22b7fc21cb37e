// The text form: golden files, random graphs, and what is said about broken texts.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "compiler/ir/builder.h"
#include "compiler/ir/op.h"
#include "compiler/support/diagnostics.h"
#include "tests/support/op_samples.h"
#include "tests/support/paths.h"

namespace nnc::testing {
namespace {

using namespace nnc::ir;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A chain of random ops over values of one shape, with constants, spans and odd names.
std::unique_ptr<Graph> random_graph(std::mt19937_64& random) {
  const auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
  auto graph = std::make_unique<Graph>(pick(2) ? "g" : "an odd \"name\"", 1 + pick(9));
  Builder b(*graph);
  const Shape shapes[] = {{}, {{1, true}}, {{3}, {1, true}}, {{2, true}, {5}}, {{1}, {7}, {2}}};
  const Shape shape = shapes[pick(5)];
  const DType dtype = pick(2) ? DType::f32 : DType::f64;
  std::vector<Value*> pool = {
      graph->add_param(ParamKind::input, "x", {dtype, shape}, "image/pixels"),
      graph->add_param(ParamKind::state, "fc1.kernel:m", {dtype, shape}),
      graph->add_param(ParamKind::scalar, "x", {dtype, shape}, "rate")};
  const auto file = std::make_shared<SourceFile>(SourceFile{"models/my file.yaml", ""});
  const char* unary[] = {"neg", "exp", "tanh", "relu", "stop_gradient"};
  const char* binary[] = {"add", "mul", "max", "sub", "pow"};
  for (size_t i = 0, n = 1 + pick(20); i < n; ++i) {
    SourceSpan span;
    if (pick(2)) span = {file, static_cast<int>(pick(300)) + 1, static_cast<int>(pick(9)) + 1, 1};
    b.set_span(span);
    Value* a = pool[pick(pool.size())];
    Value* c = pool[pick(pool.size())];
    switch (pick(4)) {
      case 0: pool.push_back(b.unary(unary[pick(5)], a)); break;
      case 1: pool.push_back(b.op(binary[pick(5)], {a, c})); break;
      case 2:
        pool.push_back(b.constant(std::ldexp(static_cast<double>(random()), -90), dtype, shape));
        break;
      default: pool.push_back(b.op("select", {b.compare("lt", a, c), a, c}));
    }
    if (pick(5) == 0) pool.back()->name = graph->unique_name("layer." + std::to_string(i));
  }
  graph->add_output("loss", pool.back());
  if (pick(2)) graph->add_output("an odd \"name\"", pool[pick(pool.size())]);
  if (pick(2)) b.assign(pool[1], pool.back());
  return graph;
}

}  // namespace

TEST_CASE("golden graphs parse, verify, and print the same once they are in columns") {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() + "/tests/ir")) {
    if (entry.path().extension() != ".nnir") continue;
    CAPTURE(entry.path().string());
    const std::string text = read(entry.path());
    const auto graph = parse(text, entry.path().string());
    CHECK_NOTHROW(verify(*graph));
    CHECK(print(*graph) == text);
    CHECK(print(*graph->clone()) == text);
    ++count;
  }
  CHECK(count >= 2);
}

TEST_CASE("printing a parsed graph gives the same text") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    const auto graph = random_graph(random);
    REQUIRE_NOTHROW(verify(*graph));
    const std::string text = print(*graph);
    CAPTURE(text);
    const auto again = parse(text);
    CHECK_NOTHROW(verify(*again));
    CHECK(print(*again) == text);
    REQUIRE(again->nodes.size() == graph->nodes.size());
    for (size_t n = 0; n < graph->nodes.size(); ++n) {
      CHECK(again->nodes[n]->attributes == graph->nodes[n]->attributes);
      CHECK(again->nodes[n]->span.line == graph->nodes[n]->span.line);
    }
  }
}

TEST_CASE("spaces in a text do not matter") {
  const auto graph = parse(
      "graph @g(%x:f32[2b]){%y:f32[2b]=mul %x,%x   %z: f32[2b] =\n\n neg %y @f.yaml:3:4\nreturn "
      "z=%z}");
  CHECK(print(*graph) ==
        "graph @g(%x: f32[2b]) {\n"
        "  %y: f32[2b] = mul %x, %x\n"
        "  %z: f32[2b] = neg %y  @f.yaml:3:4\n"
        "  return z=%z\n"
        "}\n");
}

TEST_CASE("a broken text is refused at its place") {
  struct Case {
    std::string text, message;
    int line, column;
  };
  const Case cases[] = {
      {"grph @g() {\n}", "the text of the graph has something else here", 1, 1},
      {"graph @g(%x: f31[2]) {\n return\n}", "this is not an element type", 1, 17},
      {"graph @g(%x: f32[2b], %y: f32[3b]) {\n return\n}", "the batch has two sizes", 1, 33},
      {"graph @g(%x: f32[2]) {\n  %y: f32[2] = foo %x\n  return\n}", "there is no op of this name",
       2, 19},
      {"graph @g(%x: f32[2]) {\n  %y: f32[3] = neg %x\n  return\n}", "%y has another type", 3, 3},
      {"graph @g(%x: f32[2]) {\n  %x: f32[2] = neg %x\n  return\n}", "%x is defined twice", 2, 5},
      {"graph @g() {\n  return y=%y\n}", "%y is not defined", 2, 14},
      {"graph @g() {\n  %c: f32[] = constant {shape=[], value=1.0, dtype=f33}\n  return\n}",
       "this is not a value of an attribute", 2, 55},
      {"graph @g(%x: f32[2]) {\n  %y: f32[2] = add %x\n  return\n}",
       "add has the wrong number of operands", 2, 3},
      {"graph @g(%x: f32[2]) {\n  %y: f32[2] = reshape %x\n  return\n}",
       "internal error: attribute 'shape' is absent", 3, 3},
      {"graph @g() {\n  return\n} more", "the text of the graph goes on after its end", 3, 3},
  };
  for (const Case& item : cases) {
    CAPTURE(item.text);
    try {
      parse(item.text, "broken.nnir");
      FAIL_CHECK("the text was accepted");
    } catch (const UserError& error) {
      CHECK(error.diagnostic.message == item.message);
      CHECK(error.diagnostic.span.line == item.line);
      CHECK(error.diagnostic.span.column == item.column);
      CHECK(error.diagnostic.span.path() == "broken.nnir");
    }
  }
}

}  // namespace nnc::testing
