// Every op with a derivative, on every differentiable sample: first and second derivatives against
// difference quotients.
#include <doctest/doctest.h>

#include "compiler/autodiff/autodiff.h"
#include "compiler/ir/builder.h"
#include "tests/support/gradient_check.h"
#include "tests/support/op_samples.h"

namespace nnc::testing {
namespace {

using namespace nnc::ir;

struct Problem {
  SampleGraph sample;
  std::vector<Value*> targets;
  std::vector<std::string> names;
};

// loss = sum over i of <values[i], random weights>, the weights being parameters too.
Value* weighted_sum(Problem& p, const std::vector<Value*>& values, const std::string& prefix,
                    std::mt19937_64& random) {
  Graph& graph = *p.sample.graph;
  Builder b(graph);
  Value* total = nullptr;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == nullptr) continue;
    const std::string name = prefix + std::to_string(i);
    Value* weights = graph.add_param(ParamKind::state, name, values[i]->type);
    p.sample.values[name] = random_tensor(weights->type, -1, 1, graph.batch, random);
    std::vector<int64_t> axes;
    for (int64_t axis = 0; axis < values[i]->type.rank(); ++axis) axes.push_back(axis);
    Value* term = b.cast(b.sum(b.mul(values[i], weights), axes), DType::f64);
    total = total == nullptr ? term : b.add(total, term);
  }
  return total;
}

// Adds gradients as outputs; the name is empty where there is none.
std::vector<std::string> add_outputs(Graph& graph, const std::vector<Value*>& gradients,
                                     const std::string& prefix) {
  std::vector<std::string> names;
  for (size_t i = 0; i < gradients.size(); ++i) {
    names.push_back(gradients[i] == nullptr ? "" : prefix + std::to_string(i));
    if (gradients[i] != nullptr) graph.add_output(names.back(), gradients[i]);
  }
  return names;
}

Problem problem_of(const OpDef& op, const Sample& sample, std::mt19937_64& random) {
  Problem p{sample_graph(op, sample, random), {}, {}};
  for (Value* operand : p.sample.operands) {
    if (!operand->type.is_float()) continue;
    p.targets.push_back(operand);
    p.names.push_back(operand->name);
  }
  return p;
}

// Returns whether any derivative was not zero.
bool check_sample(const OpDef& op, const Sample& sample, std::mt19937_64& random) {
  Problem p = problem_of(op, sample, random);
  Graph& graph = *p.sample.graph;
  Value* loss = weighted_sum(p, {graph.outputs.at(0).value}, "w", random);
  graph.add_output("loss", loss);
  const std::vector<Value*> first = autodiff::gradients(graph, loss, p.targets);
  const auto first_names = add_outputs(graph, first, "first");
  const GradientCheck one =
      check_gradients(graph, p.sample.values, "loss", p.names, first_names, random);
  CHECK_MESSAGE(one.good, "first derivative: " << one.message);

  Value* slope = weighted_sum(p, first, "v", random);
  REQUIRE(slope != nullptr);
  graph.add_output("slope", slope);
  const auto second_names =
      add_outputs(graph, autodiff::gradients(graph, slope, p.targets), "second");
  const GradientCheck two =
      check_gradients(graph, p.sample.values, "slope", p.names, second_names, random);
  CHECK_MESSAGE(two.good, "second derivative: " << two.message);
  CHECK_NOTHROW(verify(graph));
  const std::string text = print(graph);
  CHECK(print(*parse(text)) == text);
  return !one.all_zero;
}

}  // namespace

TEST_CASE("derivatives of every op agree with difference quotients") {
  std::mt19937_64 random(7);
  int checked = 0;
  for (const OpDef* op : all_ops()) {
    if (!op->vjp || !op->samples) continue;
    const std::vector<Sample> samples = op->samples();
    int differentiable = 0, moving = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
      if (!samples[i].differentiable) continue;
      CAPTURE(describe(*op, samples[i], i));
      ++differentiable;
      moving += check_sample(*op, samples[i], random) ? 1 : 0;
    }
    // A single relu may be cut off, but most samples must have shown a derivative.
    CHECK_MESSAGE(2 * moving >= differentiable, op->name << " has derivatives of zero only");
    checked += differentiable;
  }
  CHECK(checked > 300);
}

}  // namespace nnc::testing
