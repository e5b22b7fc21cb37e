// A training step of a multilayer perceptron, built and differentiated as the compiler does it.
#pragma once

#include <memory>
#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::test {

// Layers of sizes[0] inputs, sizes[1] … hidden numbers (relu), sizes.back() logits; softmax cross
// entropy against the labels "t"; plain SGD with the scalar "rate". Inputs: "x" (u8), "t" (i32).
std::unique_ptr<ir::Graph> mlp_step(const std::vector<int64_t>& sizes, int64_t batch);

}  // namespace nnc::test
