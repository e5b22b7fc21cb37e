// Formulas: operators, functions, axes, broadcasting, weights, and their mistakes.
#include <doctest/doctest.h>

#include <cmath>

#include "compiler/layers/formula.h"
#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

Model with_output(const std::string& formula) {
  return load(
      "nnc: 1\nprecision: f64\ndata:\n  train: {npy: {x: x.npy, v: v.npy, m: m.npy}}\n"
      "model:\n  inputs: [x, v, m]\n  params: {p: 3}\n"
      "  layers:\n    - dense: {units: 2, bias: false}\n      name: fc\n      from: v\n"
      "  outputs:\n    y: \"" +
          formula + "\"\n",
      {field("x", {}, abi::DType::f64), field("v", {3}, abi::DType::f64),
       field("m", {2, 3}, abi::DType::f64)});
}

// One row: x = 0.7, v = [1, -2, 4], m = [[1, 2, 3], [4, 5, 6]], p = 3, fc.kernel 3x2.
ir::Tensor value_of(const std::string& formula) {
  Model model = with_output(formula);
  const assemble::Forward forward = model.forward(assemble::Mode::predict);
  const ir::Tensor y = ir::evaluate(*forward.graph,
                                    {{"x", tensor({1}, {0.7})},
                                     {"v", tensor({1, 3}, {1, -2, 4})},
                                     {"m", tensor({1, 2, 3}, {1, 2, 3, 4, 5, 6})},
                                     {"p", scalar(3)},
                                     {"fc.kernel", tensor({3, 2}, {1, 0, 0, 1, 2, -1})}},
                                    {.batch = 1})
                           .at("y");
  CHECK(y.shape[0] == 1);
  return y;
}

struct FormulaCase {
  std::string formula;
  std::vector<double> expected;
};

const std::vector<FormulaCase> cases = {
    {"x", {0.7}},
    {"2*x + 1", {2.4}},
    {"-x^2", {-0.49}},
    {"x^3 - x^-1 + x^0.5", {0.343 - 1 / 0.7 + std::sqrt(0.7)}},
    {"x^1.7", {std::pow(0.7, 1.7)}},
    {"2^x", {std::pow(2, 0.7)}},
    {"v + x", {1.7, -1.3, 4.7}},
    {"v * p", {3, -6, 12}},
    {"m + v", {2, 0, 7, 5, 3, 10}},
    {"sum(v)", {3}},
    {"mean(v)", {1}},
    {"max(v) - min(v)", {6}},
    {"sum(m, axis=0)", {5, 7, 9}},
    {"sum(m, axis=-1)", {6, 15}},
    {"mean(m, axis=[0, 1])", {3.5}},
    {"max(v, 0)", {1, 0, 4}},
    {"min(m, v)", {1, -2, 3, 1, -2, 4}},
    {"if(v > 0, v, 10*v)", {1, -20, 4}},
    {"if(v > 0 and v < 2, 1, 0)", {1, 0, 0}},
    {"if(not (v > 0) or v == 4, 1, 0)", {0, 1, 1}},
    {"(v > 0) * 2", {2, 0, 2}},
    {"v[0]", {1}},
    {"v[-1]", {4}},
    {"v[1:]", {-2, 4}},
    {"m[..., 0:2]", {1, 2, 4, 5}},
    {"m[1]", {4, 5, 6}},
    {"m[1, 0]", {4}},
    {"m[..., -1]", {3, 6}},
    {"transpose(m)", {1, 4, 2, 5, 3, 6}},
    {"v @ fc.kernel", {9, -6}},
    {"m @ fc.kernel", {7, -1, 16, -1}},
    {"m @ v", {9, 18}},
    {"m @ transpose(m)", {14, 32, 32, 77}},
    {"v @ v", {21}},
    {"fc", {9, -6}},
    {"softmax(v)[0]", {std::exp(-3.0) / (std::exp(-3.0) + std::exp(-6.0) + 1)}},
    {"log_softmax(v)[2]", {-std::log(std::exp(-3.0) + std::exp(-6.0) + 1)}},
    {"exp(log(x)) + sqrt(x*x) + abs(-x)", {2.1}},
    {"sin(x)^2 + cos(x)^2 + tan(x)", {1 + std::tan(0.7)}},
    {"erf(x) + tanh(x)", {std::erf(0.7) + std::tanh(0.7)}},
    {"relu(v)", {1, 0, 4}},
    {"leaky_relu(v, 0.1)", {1, -0.2, 4}},
    {"floor(v * 0.3)", {0, -1, 1}},
    {"clip(v, -1, 2)", {1, -1, 2}},
    {"square(v)", {1, 4, 16}},
    {"p", {3}},
    {"[x, 2*p, 1]", {0.7, 6, 1}},
    {"[1, 2, 3] * v", {1, -4, 12}},
    {"[v, v^2] @ [1, 1, 1]", {3, 21}},
    {"pi", {std::acos(-1.0)}},
    {"v[::2]", {1, 4}},
    {"v[::-1]", {4, -2, 1}},
    {"v[2:0:-1]", {4, -2}},
    {"m[..., ::-2]", {3, 1, 6, 4}},
    {"m[::-1, 1]", {5, 2}},
    {"pow(v, 2)", {1, 4, 16}},
    {"atan2(x, -x)", {std::atan2(0.7, -0.7)}},
    {"lgamma(5*x) + digamma(1)", {std::lgamma(3.5) - 0.57721566490153286}},
    {"polygamma(1, 1)", {std::acos(-1.0) * std::acos(-1.0) / 6}},
    {"logsumexp(v)", {std::log(std::exp(1.0) + std::exp(-2.0) + std::exp(4.0))}},
    {"logsumexp(1000*v)", {4000}},
    {"norm(v)", {std::sqrt(21.0)}},
    {"norm(m, axis=0)", {std::sqrt(17.0), std::sqrt(29.0), std::sqrt(45.0)}},
    {"m - mean(m, axis=-1, keepdims=true)", {-1, 0, 1, -1, 0, 1}},
    {"var(m, axis=1)", {2.0 / 3, 2.0 / 3}},
    {"std(v)^2", {6}},
    {"log2(8*x/x) + log10(100*x/x)", {5}},
    {"ceil(v*0.3)", {1, 0, 2}},
    {"asin(x) + acos(x)", {std::acos(0.0)}},
    {"cosh(x)^2 - sinh(x)^2", {1}},
    {"argmax(v)", {2}},
    {"concat([v, v*2])", {1, -2, 4, 2, -4, 8}},
    {"concat([m, [v]], axis=0)", {1, 2, 3, 4, 5, 6, 1, -2, 4}},
    {"reshape(m, [3, 2])[1]", {3, 4}},
    {"einsum('ij,jk->ik', m, fc.kernel)", {7, -1, 16, -1}},
    {"einsum('ij,kj', m, m)", {14, 32, 32, 77}},
    {"einsum('ji,i->ij', m, v)", {1, 4, -4, -10, 12, 24}},
    {"einsum('ij->ji', m)", {1, 4, 2, 5, 3, 6}},
    {"einsum('i,i->', v, v)", {21}},
    {"einsum('i,j->ij', v, fc)", {9, -6, -18, 12, 36, -24}},
    {"ramp(1, 3, epochs=5)", {3}},
    {"true + false", {1}},
};

}  // namespace

TEST_CASE("formulas give what their words say") {
  for (const FormulaCase& c : cases) {
    INFO(c.formula);
    check_close(value_of(c.formula), c.expected);
  }
}

namespace {

struct MistakeCase {
  std::string formula;
  std::string part;     // what the carets stand under
  std::string message;  // a piece of the text
};

const std::vector<MistakeCase> mistakes = {
    {"x + v[0:2] * v", "v[0:2] * v", "the shapes of the two sides do not fit"},
    {"sum(v, axis=1)", "1", "the value has no such axis"},
    {"sum(v, axis=x)", "x", "this must be a plain number"},
    {"x + v[5]", "5", "the slice lies outside its value"},
    {"v[0, 1]", "v[0, 1]", "names more axes than its value has"},
    {"1 + sofmax(v)", "sofmax(v)", "did you mean 'softmax'?"},
    {"exp(v, v)", "exp(v, v)", "given the wrong number of values"},
    {"exp(v, axis=0)", "axis", "takes no 'axis'"},
    {"softmax(x)", "softmax(x)", "softmax needs at least one axis"},
    {"2 * (v @ m)", "(v @ m)", "the shapes of a matrix product do not fit"},
    {"sum([x, v])", "v", "the values of a list must have one shape"},
};

}  // namespace

TEST_CASE("a mistake is shown at its place inside the formula") {
  for (const MistakeCase& c : mistakes) {
    INFO(c.formula);
    Model model = with_output(c.formula);
    Diagnostics found;
    CHECK(!assemble::build_forward(model.description, model.fields, assemble::Mode::train, found));
    const std::vector<Diagnostic> list = found.sorted();
    REQUIRE(list.size() == 1);
    CHECK(render(list[0]).find(c.message) != std::string::npos);
    CHECK(list[0].span.line == 13);
    // `    y: "` is before the formula.
    const int start = 9 + static_cast<int>(c.formula.rfind(c.part));
    CHECK(list[0].span.column == start);
    CHECK(list[0].span.length == static_cast<int>(c.part.size()));
  }
}
