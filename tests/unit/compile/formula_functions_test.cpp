// Every function that a formula may call: first and second derivative against difference quotients,
// native code at every vector level against the reference. A function without a sample fails.
#include <doctest/doctest.h>

#include "compiler/autodiff/autodiff.h"
#include "compiler/language/formula.h"
#include "compiler/layers/formula_function.h"
#include "compiler/layers/random.h"
#include "compiler/layers/rows.h"
#include "compiler/passes/prelude.h"
#include "tests/support/gradient_check.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;

constexpr int64_t rows = 3;

// x and y: [4] per row, m: [2, 4] per row, p: [4] and q: [4, 2] without rows; all in [low, high].
struct Sample {
  std::string formula;
  double low = 0.3, high = 0.9;
  bool flat = false;        // its derivative is 0 wherever it exists
  double tolerance = 1e-5;  // of f32
};

const std::vector<Sample> samples = {
    {"exp(x)"},
    {"expm1(x)"},
    {"log(x)"},
    {"log2(x)"},
    {"log10(x)"},
    {"log1p(x)"},
    {"sqrt(x)"},
    {"rsqrt(x)"},
    {"square(x)"},
    {"abs(x - y)"},
    {"sign(x - 0.5)", 0.3, 0.9, true},
    {"floor(3*x)", 0.4, 0.6, true},
    {"ceil(3*x)", 0.4, 0.6, true},
    {"round(3*x)", 0.55, 0.8, true},
    {"step(x)", 0.3, 0.9, true},
    {"missing(x) + 1", 0.3, 0.9, true},
    {"x*stop_gradient(3)"},
    {"prepared(x)*y"},
    {"inverse(x*y, field)"},
    {"sin(x*m)"},
    {"cos(x*m)"},
    {"tan(x)"},
    {"asin(x)"},
    {"asin(-x) + asin(0*x)"},
    {"acos(x - 0.6)"},
    {"atan(x)"},
    {"atan2(x, y)"},
    {"atan2(-x, y - 2) + atan2(x, y - 2) + atan2(-x, y)"},
    {"sinh(x) + sinh(-9*y)", 0.3, 0.9, false, 1e-3},
    {"cosh(x)"},
    {"tanh(x)"},
    {"erf(x)"},
    {"lgamma(4*x)"},
    {"lgamma(-x) + lgamma(20*x)", 0.3, 0.7, false, 1e-4},
    {"digamma(4*x) + digamma(-x)", 0.3, 0.7, false, 1e-4},
    {"polygamma(1, x) + polygamma(2, 5*x)", 0.5, 0.9, false, 1e-4},
    {"polygamma(3, -x) * y", 0.4, 0.6, false, 1e-3},
    {"relu(x - 0.1) * y"},
    {"sigmoid(x)"},
    {"log_sigmoid(x)"},
    {"softplus(x)"},
    {"softsign(x)"},
    {"gelu(x)"},
    {"swish(x)"},
    {"mish(x)"},
    {"selu(x) + selu(-x)"},
    {"relu6(x)*y"},
    {"hard_sigmoid(x)*y"},
    {"hard_swish(x)"},
    {"hard_tanh(x)*y"},
    {"elu(x - 1, 0.7)"},
    {"celu(x - 1, 0.7)"},
    {"leaky_relu(x - 1, 0.1)*y"},
    {"if(x < 2, x*y, x)"},
    {"clip(x, 0.1, 2)*y"},
    {"pow(x, y) + pow(x, 3) + pow(2, y)"},
    {"sum(x*y)"},
    {"sum(m*m, axis=0)"},
    {"mean(m*x, axis=[0, 1]) + mean(m*m, axis=-1, keepdims=true)"},
    {"var(x)"},
    {"var(m, axis=0)"},
    {"std(m*m, axis=-1, keepdims=true)"},
    {"max(x*x) + max(x, 0.1)*y"},
    {"min(m*m, axis=-1)"},
    {"norm(x)"},
    {"norm(m, axis=0) + norm(m*0)"},
    {"logsumexp(x)"},
    {"logsumexp(900 + m, axis=-1, keepdims=true)", 0.3, 0.9, false, 1e-3},
    {"softmax(x)"},
    {"softmax(m, axis=0)"},
    {"log_softmax(m)"},
    {"argmax(x)", 0.3, 0.9, true},
    {"transpose(m*m)"},
    {"reshape(m, [8])*reshape(m, [8])"},
    {"reshape(m, shape(transpose(m)))*transpose(m)"},
    {"concat([x, y, p])*concat([y, x, x])"},
    {"concat([m, m*m], axis=0)"},
    {"einsum('i,i->', x, y)"},
    {"einsum('i,j', x, y)"},
    {"einsum('ij,jk->ik', m, q)"},
    {"einsum('jk,ij->ki', q, m)"},
    {"einsum('ij,kj->ik', m, m)"},
    {"einsum('ij,j->ji', m, p)"},
    {"einsum('ij,jk->ji', m, q)"},
    {"einsum('ij->j', m*m)"},
    {"normal()*x"},
    {"normal(x, y)"},
    {"normal(x, y, [2, 4])"},
    {"uniform(x, 2*y)"},
    {"uniform(shape(m))*m"},
    {"grad(sum(x^3*y), x)"},
    {"ramp(2, 3, epochs=5)*x"},
    {"bernoulli(x)*y + bernoulli(0.4, [4])*x"},
};

// The names of a formula, and what it can ask for.
class Values : public layers::Scope,
               public layers::Units,
               public layers::RandomSource,
               public layers::Derivatives {
 public:
  Values(ir::Builder& b, ir::DType dtype) : b_(b), dtype_(dtype) {}

  layers::Operand find(const std::string& name, const SourceSpan&) override {
    if (ir::Value* known = b_.graph().find_param(kind(name), name)) return {known};
    const ir::Dim batch{1, true};
    const std::map<std::string, ir::Shape> shapes = {{"x", {batch, {4}}},
                                                     {"y", {batch, {4}}},
                                                     {"m", {batch, {2}, {4}}},
                                                     {"p", {{4}}},
                                                     {"q", {{4}, {2}}}};
    ir::Value* made = b_.graph().add_param(kind(name), name, {dtype_, shapes.at(name)}, name);
    targets.push_back(made);
    return {made};
  }
  ir::Value* inverse(ir::Value* value, const Name&) override { return b_.mul(value, 2); }
  ir::Value* draw(const std::string& op, const ir::Shape& shape, const std::string& path) override {
    return layers::random_numbers(b_, layers::Mode::train, op, {dtype_, shape}, path);
  }
  ir::Value* derivative(ir::Value* y, const SourceSpan&, ir::Value* x, const SourceSpan&) override {
    return autodiff::gradients(b_.graph(), layers::reshape_row(b_, y, {}), {x}).front();
  }

  std::vector<ir::Value*> targets;

 private:
  static ir::ParamKind kind(const std::string& name) {
    return name == "p" || name == "q" ? ir::ParamKind::state : ir::ParamKind::input;
  }
  ir::Builder& b_;
  ir::DType dtype_;
};

struct Problem {
  std::unique_ptr<ir::Graph> graph = std::make_unique<ir::Graph>("formula", rows);
  std::vector<ir::Value*> targets;
  ir::Value* result = nullptr;
};

Problem problem_of(const std::string& text, ir::DType dtype) {
  Diagnostics diagnostics;
  const auto formula = language::parse_formula(
      {text, {}, 0}, [](const std::string&, const SourceSpan&) { return 1.0; }, diagnostics);
  REQUIRE(formula);
  Problem p;
  ir::Builder b(*p.graph);
  Values values(b, dtype);
  layers::FormulaContext context{.b = b,
                                 .scope = values,
                                 .dtype = dtype,
                                 .units = &values,
                                 .random = &values,
                                 .derivatives = &values,
                                 .path = "f"};
  p.result = layers::build_formula(context, *formula);
  p.graph->add_output("result", p.result);
  p.targets = values.targets;
  return p;
}

test::Tensors numbers_for(const ir::Graph& graph, const Sample& sample) {
  test::Tensors numbers = test::random_params(graph, 11, sample.low, sample.high);
  if (numbers.count("seed")) numbers["seed"] = {{}, {5}};
  if (numbers.count("step")) numbers["step"] = {{}, {2}};
  return numbers;
}

// Σ value·weight, with weights of no pattern.
ir::Value* weighted(ir::Graph& graph, const std::vector<ir::Value*>& values) {
  ir::Builder b(graph);
  ir::Value* total = b.constant(0, ir::DType::f64);
  for (ir::Value* value : values) {
    if (value == nullptr) continue;
    std::vector<int64_t> axes;
    ir::Value* weights = b.constant(0.7, value->type.dtype, value->type.shape);
    for (int64_t axis = 0; axis < value->type.rank(); ++axis) {
      axes.push_back(axis);
      ir::Value* place = b.iota(value->type.shape, axis, value->type.dtype);
      weights = b.mul(weights, b.unary("sin", b.add(place, 1.3)));
    }
    total = b.add(total, b.cast(b.sum(b.mul(value, weights), axes), ir::DType::f64));
  }
  return total;
}

std::vector<std::string> add_outputs(ir::Graph& graph, const std::vector<ir::Value*>& gradients,
                                     const std::string& prefix) {
  std::vector<std::string> names;
  for (size_t i = 0; i < gradients.size(); ++i) {
    names.push_back(gradients[i] == nullptr ? "" : prefix + std::to_string(i));
    if (gradients[i] != nullptr) graph.add_output(names.back(), gradients[i]);
  }
  return names;
}

void check_derivatives(const Sample& sample) {
  Problem p = problem_of(sample.formula, ir::DType::f64);
  ir::Graph& graph = *p.graph;
  std::vector<std::string> names;
  for (const ir::Value* target : p.targets) names.push_back(target->name);
  std::mt19937_64 random(3);
  ir::Value* loss = weighted(graph, {p.result});
  graph.add_output("loss", loss);
  const auto first = autodiff::gradients(graph, loss, p.targets);
  const auto first_names = add_outputs(graph, first, "first");
  const test::Tensors numbers = numbers_for(graph, sample);
  const testing::GradientCheck one =
      testing::check_gradients(graph, numbers, "loss", names, first_names, random);
  CHECK_MESSAGE(one.good, "first derivative: " << one.message);
  CHECK(one.all_zero == sample.flat);
  ir::Value* slope = weighted(graph, first);
  graph.add_output("slope", slope);
  const auto second_names =
      add_outputs(graph, autodiff::gradients(graph, slope, p.targets), "second");
  const testing::GradientCheck two =
      testing::check_gradients(graph, numbers, "slope", names, second_names, random);
  CHECK_MESSAGE(two.good, "second derivative: " << two.message);
}

void check_native(const Sample& sample, ir::DType dtype) {
  Problem p = problem_of(sample.formula, dtype);
  const auto gradients = autodiff::gradients(*p.graph, weighted(*p.graph, {p.result}), p.targets);
  add_outputs(*p.graph, gradients, "first");
  const test::Tensors numbers = numbers_for(*p.graph, sample);
  const test::Tensors expected = ir::evaluate(*p.graph, numbers);
  const double tolerance = dtype == ir::DType::f32 ? sample.tolerance : 1e-11;
  for (const kernel::Isa isa : test::runnable_isas()) {
    const test::Tensors found = test::run_native(*p.graph, numbers, {.isa = isa});
    for (const auto& [name, tensor] : expected) {
      CHECK_MESSAGE(test::distance(found.at(name), tensor) < tolerance,
                    name << " on " << std::string(kernel::name_of(isa)));
    }
  }
}

// Whether the formula calls the function: not one whose name only ends like it.
bool calls(const std::string& formula, const std::string& name) {
  const size_t at = formula.find(name + "(");
  if (at == std::string::npos) return false;
  return at == 0 || std::isalnum(static_cast<unsigned char>(formula[at - 1])) == 0;
}

}  // namespace

TEST_CASE("every function of formulas has a sample") {
  for (const std::string& name : layers::formula_functions()) {
    const bool shown = std::any_of(samples.begin(), samples.end(), [&](const Sample& sample) {
      return calls(sample.formula, name);
    });
    CHECK_MESSAGE(shown, name);
  }
}

TEST_CASE("derivatives of formula functions agree with difference quotients") {
  for (const Sample& sample : samples) {
    CAPTURE(sample.formula);
    check_derivatives(sample);
  }
}

TEST_CASE("native code of formula functions agrees with the reference") {
  for (const Sample& sample : samples) {
    CAPTURE(sample.formula);
    check_native(sample, ir::DType::f32);
    check_native(sample, ir::DType::f64);
  }
}

TEST_CASE("the length of a row of zeros has a slope and a curvature of 0") {
  Problem p = problem_of("norm(x)^2 + norm(x)", ir::DType::f64);
  ir::Graph& graph = *p.graph;
  const auto first = autodiff::gradients(graph, weighted(graph, {p.result}), p.targets);
  graph.add_output("first", first[0]);
  graph.add_output("second", autodiff::gradients(graph, weighted(graph, first), p.targets)[0]);
  ir::Tensor zeros{{rows, 4}, std::vector<double>(12, 0.0)};
  const auto results = ir::evaluate(graph, {{"x", zeros}});
  CHECK(results.at("first").data == zeros.data);
  for (const double x : results.at("second").data) CHECK(std::isfinite(x));
}
