#include "compiler/language/formula.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <random>

using namespace nnc;
using namespace nnc::language;

namespace {

std::optional<double> settings(const std::string& name, const SourceSpan&) {
  if (name == "beta") return 4.0;
  if (name == "low") return -2.0;
  return std::nullopt;
}

std::optional<Formula> parse(const std::string& text, Diagnostics& diagnostics) {
  const auto file = std::make_shared<SourceFile>(SourceFile{"t.yaml", "p: \"" + text + "\""});
  const SourceSpan span{file, 1, 4, static_cast<int>(text.size()) + 2};
  return parse_formula({text, span, 5}, settings, diagnostics);
}

Formula good(const std::string& text) {
  Diagnostics diagnostics;
  auto formula = parse(text, diagnostics);
  INFO(text);
  REQUIRE(formula.has_value());
  return *formula;
}

bool equal(const Expression& a, const Expression& b) {
  bool same = a.kind == b.kind && a.text == b.text && a.number == b.number &&
              a.operands.size() == b.operands.size() && a.named.size() == b.named.size() &&
              a.slices.size() == b.slices.size();
  for (size_t i = 0; same && i < a.operands.size(); ++i) {
    same = equal(*a.operands[i], *b.operands[i]);
  }
  for (size_t i = 0; same && i < a.named.size(); ++i) {
    same = a.named[i].name == b.named[i].name && equal(*a.named[i].value, *b.named[i].value);
  }
  for (size_t i = 0; same && i < a.slices.size(); ++i) {
    same = a.slices[i].kind == b.slices[i].kind && a.slices[i].begin == b.slices[i].begin &&
           a.slices[i].end == b.slices[i].end;
  }
  return same;
}

// A random tree as text, with more parentheses than needed.
std::string random_formula(std::mt19937& random, int depth) {
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto inner = [&] { return random_formula(random, depth - 1); };
  if (depth == 0) {
    const char* leaves[] = {"x", "fc.kernel", "2", "0.5", "pi", "$low", "$beta", "1e-3"};
    return leaves[pick(8)];
  }
  switch (pick(8)) {
    case 0: return "-(" + inner() + ")";
    case 1: return "not (" + inner() + ")";
    case 2: return "if(" + inner() + ", " + inner() + ", " + inner() + ")";
    case 3: return "sum(" + inner() + ", axis=-1)";
    case 4: return "(" + inner() + ")[..., 0:3]";
    case 5: return "concat([" + inner() + ", " + inner() + "], axis=0)";
    default: break;
  }
  const char* signs[] = {"+",  "-", "*",  "/",  "^",  "@",   "<",
                         "<=", ">", ">=", "==", "!=", "and", "or"};
  return "(" + inner() + ") " + signs[pick(14)] + " (" + inner() + ")";
}

}  // namespace

TEST_CASE("formulas group as in mathematics") {
  const std::vector<std::pair<std::string, std::string>> same = {
      {"1 + 2*x", "1 + (2*x)"},
      {"a - b - c", "(a - b) - c"},
      {"a / b * c", "(a / b) * c"},
      {"-x^2", "-(x^2)"},
      {"2^-3^x", "2^(-(3^x))"},
      {"a^b^c", "a^(b^c)"},
      {"a @ b + c", "(a @ b) + c"},
      {"a < b + 1 and not c > d or e == f", "((a < (b + 1)) and (not (c > d))) or (e == f)"},
      {"x[0] ^ 2", "(x[0]) ^ 2"},
      {"+x", "x"},
      {"- -x", "-(-x)"},
      {"2*-x", "2*(-x)"},
  };
  for (const auto& [text, grouped] : same) {
    CAPTURE(text);
    CHECK(equal(*good(text).root, *good(grouped).root));
  }
}

TEST_CASE("printing and parsing again gives the same tree") {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_formula(random, 1 + i % 4);
    CAPTURE(text);
    const Formula first = good(text);
    CAPTURE(first.text);
    const Formula second = good(first.text);
    CHECK(equal(*first.root, *second.root));
    CHECK(second.text == first.text);
  }
}

TEST_CASE("the parts of a formula know their place in the line") {
  const Formula formula = good("1 + foo(bar, axis=2)[..., 1:3]");
  const Expression& slice = *formula.root->operands[1];
  CHECK(slice.kind == Expression::Kind::slice);
  CHECK(slice.span.column == 9);
  CHECK(slice.span.length == 26);
  const Expression& call = *slice.operands[0];
  CHECK(call.operands[0]->span.column == 13);
  CHECK(call.operands[0]->span.length == 3);
  CHECK(call.named[0].name == "axis");
  CHECK(call.named[0].span.column == 18);
  REQUIRE(slice.slices.size() == 2);
  CHECK(slice.slices[0].kind == SliceItem::Kind::ellipsis);
  CHECK(slice.slices[1].begin == 1);
  CHECK(slice.slices[1].end == 3);
}

TEST_CASE("constants are worked out") {
  const std::vector<std::pair<std::string, double>> values = {
      {"1/255", 1.0 / 255},
      {"2^10", 1024},
      {"-2^2", -4},
      {"$beta*2", 8},
      {"${beta} + $low", 2},
      {"sqrt(16)", 4},
      {"max(1, 2, 3) - min(1, 2)", 2},
      {"pi", std::numbers::pi},
      {"exp(log(3))", std::exp(std::log(3.0))}};
  for (const auto& [text, value] : values) {
    CAPTURE(text);
    CHECK(constant_value(*good(text).root) == value);
  }
  for (const char* text : {"x + 1", "sin(1)", "1 < 2", "[1, 2]", "max(1, axis=2)"}) {
    CAPTURE(text);
    CHECK_FALSE(constant_value(*good(text).root).has_value());
  }
}

TEST_CASE("what is no formula gets one error inside the string") {
  const std::vector<std::pair<std::string, int>> wrong = {
      {"", 4},       {"1 +", 8},        {"(1", 7},           {"1)", 6},       {"f(a b)", 9},
      {"x[", 7},     {"x[]", 7},        {"x[y]", 7},         {"a = b", 7},    {"1 2", 7},
      {"3x", 5},     {"a ** b", 7},     {"a && b", 7},       {"'open", 5},    {"$", 5},
      {"${beta", 5}, {"f(a=1, 2)", 12}, {"f(a=1, a=2)", 12}, {"if(1, 2)", 5}, {"a < b < c", 11},
      {"x ~ y", 7},  {"and", 5},        {"1e999", 5}};
  for (const auto& [text, column] : wrong) {
    CAPTURE(text);
    Diagnostics diagnostics;
    CHECK_FALSE(parse(text, diagnostics).has_value());
    REQUIRE(diagnostics.errors() == 1);
    CHECK(diagnostics.sorted()[0].span.column == column);
  }
}

TEST_CASE("a formula may not exhaust the stack") {
  const int many = 100'000;
  for (const std::string& text :
       {std::string(many, '('), std::string(many, '-') + "1", std::string(many, '[')}) {
    Diagnostics diagnostics;
    CHECK_FALSE(parse(text, diagnostics).has_value());
  }
  std::string sum = "1", power = "1", negation;
  for (int i = 0; i < 900; ++i) {
    sum += "+1";
    power += "^1";
    negation += "not ";
  }
  Diagnostics diagnostics;
  CHECK(constant_value(*good(sum).root) == 901);
  CHECK_FALSE(parse(power, diagnostics).has_value());
  CHECK_FALSE(parse(negation + "1", diagnostics).has_value());
}
