#include "regression.h"

#include "runtime/rng.h"

namespace nnc::runtime::test {
namespace {

DataSpec regression_data(int64_t rows) {
  InlineSource source{rows, {InlineField{"x", {features}, {}, {}}, InlineField{"y", {}, {}, {}}}};
  const double weights[features] = {1, -2, 3};
  for (int64_t r = 0; r < rows; ++r) {
    double y = 0.5;
    for (int64_t i = 0; i < features; ++i) {
      const double x = uniform_f64({1, 2, 0, 0}, static_cast<uint64_t>(r * features + i));
      source.fields[0].numbers.push_back(x);
      y += weights[i] * x;
    }
    source.fields[1].numbers.push_back(y);
  }
  DataSpec spec;
  spec.train = Source{source, {}};
  spec.valid_fraction = Fraction{0.2, "", 1};
  return spec;
}

}  // namespace

Regression make_regression(int64_t rows, int64_t max_rows) {
  Regression result;
  result.program.name = "regression";
  result.program.states = {
      regression_state("w", abi::StateKind::parameter, 0),
      regression_state("w:momentum", abi::StateKind::optimizer, sizeof(float) * (features + 1))};
  result.program.state_bytes = sizeof(RegressionState);
  result.program.loss_terms = {"mse"};
  result.program.metrics = {{"r2", abi::Finalize::r2, 0, -1, true}};
  const std::vector<abi::InputDesc> inputs = {{"x", abi::DType::f32, {features}},
                                              {"y", abi::DType::f32, {}}};
  const abi::OutputDesc loss{"loss.mse", abi::DType::f32, {}, true};
  result.step.name = "step";
  result.step.inputs = inputs;
  result.step.outputs = {loss};
  result.step.scalars = {"rate", "inverse_rows"};
  result.step.arena_bytes = static_cast<size_t>(max_rows) * sizeof(float);
  result.step.max_rows = max_rows;
  result.step.flush_to_zero = true;
  result.step.function = regression_step;
  result.evaluate.name = "evaluate";
  result.evaluate.inputs = inputs;
  result.evaluate.outputs = {loss, {"metric.r2", abi::DType::f32, {2}, true}};
  result.evaluate.max_rows = 16;
  result.evaluate.function = regression_evaluate;
  result.predict.name = "predict";
  result.predict.inputs = {inputs[0]};
  result.predict.outputs = {{"y", abi::DType::f32, {}, true}};
  result.predict.max_rows = 10;
  result.predict.function = regression_predict;
  result.data = load(regression_data(rows));
  return result;
}

}  // namespace nnc::runtime::test
