// A linear regression y = w·x + b by gradient descent with momentum, written by hand as compiled
// entries are: each thread owns a part of the parameters, and losses are written per row.
#pragma once

#include "runtime/data/load.h"
#include "runtime/trainer.h"

namespace nnc::runtime::test {

constexpr int64_t features = 3;

// The state slab: w[3], b, then their momenta.
struct RegressionState {
  float weights[features + 1];
  float momenta[features + 1];
};

inline float prediction(const abi::Context& context, const float* weights, int64_t r) {
  const float* x = static_cast<const float*>(context.inputs[0]) + context.indices[0][r] * features;
  float sum = weights[features];
  for (int64_t i = 0; i < features; ++i) sum += weights[i] * x[i];
  return sum;
}

inline float target(const abi::Context& context, int64_t r) {
  return static_cast<const float*>(context.inputs[1])[context.indices[1][r]];
}

// Rows are shared among the threads, then parameters.
inline void regression_step(const abi::Context* context, int64_t thread) {
  auto* state = static_cast<RegressionState*>(context->state);
  auto* residuals = static_cast<float*>(context->arena);
  auto* loss = static_cast<float*>(context->outputs[0]);
  for (int64_t r = thread; r < context->rows; r += context->threads) {
    residuals[r] = prediction(*context, state->weights, r) - target(*context, r);
    loss[r] = residuals[r] * residuals[r];
  }
  context->barrier(context->barrier_state, thread);
  const auto rate = static_cast<float>(context->scalars[0]);
  const auto inverse_rows = static_cast<float>(context->scalars[1]);
  for (int64_t i = thread; i <= features; i += context->threads) {
    float gradient = 0;
    for (int64_t r = 0; r < context->rows; ++r) {
      const float* x =
          static_cast<const float*>(context->inputs[0]) + context->indices[0][r] * features;
      gradient += 2 * residuals[r] * (i < features ? x[i] : 1.0f);
    }
    state->momenta[i] = 0.9f * state->momenta[i] + gradient * inverse_rows;
    state->weights[i] -= rate * state->momenta[i];
  }
}

inline void regression_evaluate(const abi::Context* context, int64_t thread) {
  auto* state = static_cast<RegressionState*>(context->state);
  auto* loss = static_cast<float*>(context->outputs[0]);
  auto* pairs = static_cast<float*>(context->outputs[1]);
  for (int64_t r = thread; r < context->rows; r += context->threads) {
    pairs[2 * r] = prediction(*context, state->weights, r);
    pairs[2 * r + 1] = target(*context, r);
    loss[r] = (pairs[2 * r] - pairs[2 * r + 1]) * (pairs[2 * r] - pairs[2 * r + 1]);
  }
}

inline void regression_predict(const abi::Context* context, int64_t thread) {
  auto* state = static_cast<RegressionState*>(context->state);
  auto* y = static_cast<float*>(context->outputs[0]);
  for (int64_t r = thread; r < context->rows; r += context->threads) {
    y[r] = prediction(*context, state->weights, r);
  }
}

struct Regression {
  abi::Program program;
  abi::EntryDesc step, evaluate, predict;
  Dataset data;

  TrainEntries entries() const { return {{{&step}}, &evaluate, nullptr}; }
};

inline abi::StateDesc regression_state(const char* name, abi::StateKind kind, size_t offset) {
  abi::StateDesc desc;
  desc.name = name;
  desc.kind = kind;
  desc.shape = {features + 1};
  desc.offset = offset;
  if (kind == abi::StateKind::parameter) {
    desc.initial.kind = abi::Initial::Kind::normal;
    desc.initial.b = 1;
  }
  return desc;
}

// `rows` rows of x in [0, 1)³ and y = 1·x0 - 2·x1 + 3·x2 + 0.5, a fifth of them for validation.
Regression make_regression(int64_t rows = 103, int64_t max_rows = 8);

}  // namespace nnc::runtime::test
