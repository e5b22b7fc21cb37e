// Derivatives against central differences, in the reference evaluator's f64.
#pragma once

#include <random>
#include <string>

#include "tests/support/op_samples.h"

namespace nnc::testing {

struct GradientCheck {
  bool good = true;
  bool all_zero = true;  // no gradient at all: the check has shown nothing
  std::string message;
};

// Compares the derivatives of output `loss` (shape []) by the floating-point parameters `targets`
// with differences along random directions. `gradients` are the names of outputs that hold them;
// an empty name stands for a gradient of zero.
GradientCheck check_gradients(const ir::Graph& graph, const Tensors& values,
                              const std::string& loss, const std::vector<std::string>& targets,
                              const std::vector<std::string>& gradients, std::mt19937_64& random);

}  // namespace nnc::testing
