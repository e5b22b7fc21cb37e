// Probabilities as formulas write them.
#pragma once

#include <functional>

#include "compiler/ir/builder.h"

namespace nnc::passes {

// u where the value is 1 - u in one of its spellings, else null.
ir::Value* complement_of(const ir::Value* v);

// What is multiplied by (or divided by) a constant, and the factor; else null.
ir::Value* scaled_by_constant(const ir::Value* v, double& factor);

// Builds z where the value is sigmoid(z), (1 + tanh(z/2))/2 included; else empty.
using Argument = std::function<ir::Value*(ir::Builder&)>;
Argument argument_of_sigmoid(const ir::Value* v);

// sigmoid(z) where the node is 1/(1 + exp(-z)) or exp(z)/(1 + exp(z)), whose exponential overflows;
// else null.
ir::Value* textbook_sigmoid(const ir::Node& node, ir::Builder& b);

// Whether a number is `limit` once it is rounded to the type.
bool rounds_to(double number, double limit, ir::DType dtype);

}  // namespace nnc::passes
