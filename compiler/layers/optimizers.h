// Optimizers as graph ops: from a parameter, its gradient and its own states to the parameter's new
// value. They are part of the training step and are fused with it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/support/args.h"
#include "compiler/support/schema.h"

namespace nnc::layers {

// What an optimizer gets for one parameter. All values have the parameter's dtype.
struct UpdateContext {
  ir::Builder& b;
  const Args& args;
  ir::Value* parameter = nullptr;
  ir::Value* gradient = nullptr;  // of the parameter's shape
  bool decays = false;            // weight decay applies: kernels, not biases
  // A state of the parameter's shape that starts at zero, by a short name ("adam.m").
  std::function<ir::Value*(const std::string&)> state;
  // A number that the runtime computes anew for each step, shape []: "rate", or
  // "bias_correction:BETA" = 1 / (1 - BETA^step), step counting from 1 (runtime/abi.h).
  std::function<ir::Value*(const std::string&)> scalar;
};

struct OptimizerDef {
  schema::Entry entry;
  // Assigns the states and returns the new value of the parameter.
  std::function<ir::Value*(UpdateContext&)> update;
};

const std::vector<OptimizerDef>& optimizer_table();
const OptimizerDef* find_optimizer(const std::string& name);  // null if unknown

// Gradients limited element by element to ±limit.
std::vector<ir::Value*> clip_by_value(ir::Builder& b, const std::vector<ir::Value*>& gradients,
                                      double limit);
// Gradients scaled together so that their common Euclidean norm is at most `limit`.
std::vector<ir::Value*> clip_by_norm(ir::Builder& b, const std::vector<ir::Value*>& gradients,
                                     double limit);

// Learning-rate schedules. Only described here: the runtime evaluates them before each step.
std::vector<schema::Entry> schedule_entries();

}  // namespace nnc::layers
