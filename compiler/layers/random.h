// Random numbers in the graph.
#pragma once

#include "compiler/ir/builder.h"

namespace nnc::layers {

// Uniform in [0, 1), drawn anew for each step and row. `stream` tells the uses apart.
ir::Value* random_uniform(ir::Builder& b, ir::DType dtype, const ir::Shape& shape, int64_t stream);
// Normal with mean 0 and variance 1, the same way.
ir::Value* random_normal(ir::Builder& b, ir::DType dtype, const ir::Shape& shape, int64_t stream);

// A run-time number ("seed", "step", "rows") that is exact: f64 whatever the model's dtype.
ir::Value* exact_scalar(ir::Graph& graph, const std::string& name);

}  // namespace nnc::layers
