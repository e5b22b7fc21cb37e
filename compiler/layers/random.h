// Random numbers in the graph.
#pragma once

#include "compiler/ir/builder.h"

namespace nnc::layers {

// Uniform in [0, 1), drawn anew for each step and row. `stream` tells the uses apart.
ir::Value* random_uniform(ir::Builder& b, ir::DType dtype, const ir::Shape& shape, int64_t stream);

}  // namespace nnc::layers
