// Random numbers in the graph.
#pragma once

#include "compiler/layers/layer.h"

namespace nnc::layers {

// Uniform in [0, 1), for batch rows: while training drawn anew for each step; in an evaluation the
// same for a row of a split each time, however the rows fall into batches. `purpose` tells the uses
// of a layer apart.
ir::Value* random_uniform(const LayerContext& context, const ir::Shape& shape,
                          const std::string& purpose);
// Normal with mean 0 and variance 1, the same way.
ir::Value* random_normal(const LayerContext& context, const ir::Shape& shape,
                         const std::string& purpose);

// What draws them for a RandomSource: `op` with the operands that the mode has.
ir::Value* random_numbers(ir::Builder& b, Mode mode, const std::string& op, const ir::Type& type,
                          const std::string& path);

// A run-time number ("seed", "step", "rows") that is exact: f64 whatever the model's dtype.
ir::Value* exact_scalar(ir::Graph& graph, const std::string& name);

}  // namespace nnc::layers
