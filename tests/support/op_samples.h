// Graphs from the samples of the op records: what the tests that loop over the registry work on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "compiler/ir/op.h"

namespace nnc::testing {

using Tensors = std::map<std::string, ir::Tensor>;

// A graph that applies the op once. Operands are "a0", "a1", …: inputs where they count batch rows
// (rows first; moved to their place by a reshape or transpose where the sample wants it), states
// otherwise. The results are the outputs "y0", "y1", … `values` holds a number for each parameter,
// drawn from the sample's ranges, representable in the operand's dtype.
struct SampleGraph {
  std::unique_ptr<ir::Graph> graph;
  std::vector<ir::Value*> operands;  // parameters, in the op's order
  Tensors values;
};

SampleGraph sample_graph(const ir::OpDef& op, const ir::Sample& sample, std::mt19937_64& random,
                         int64_t batch = 3);

// "contract[3]: f32[3b,7], f32[7,13] {lhs=[1], rhs=[0]}": for failure messages.
std::string describe(const ir::OpDef& op, const ir::Sample& sample, size_t index);

// Numbers of the type, uniform in [low, high]; integers and booleans are rounded.
ir::Tensor random_tensor(const ir::Type& type, double low, double high, int64_t batch,
                         std::mt19937_64& random);

}  // namespace nnc::testing
