// Random graphs with everything that lowering has to cope with: odd shapes, the batch at any place,
// chains of views, contractions in every transposition, and states that are read and assigned in
// awkward orders. Numbers stay small, so that f32 can be compared with the reference.
#pragma once

#include <cstdint>
#include <memory>

#include "compiler/ir/graph.h"

namespace nnc::testing {

struct GraphOptions {
  ir::DType dtype = ir::DType::f32;
  int64_t batch = 5;
  int64_t max_elements = 4000;  // of one value
  int steps = 12;               // random ops (each may bring a few nodes)
};

// The same seed gives the same graph. Parameters want numbers from [-1, 1].
std::unique_ptr<ir::Graph> generate_graph(uint64_t seed, const GraphOptions& options);

// Options drawn from the seed: both element types, batches from 1 to 40.
GraphOptions random_options(uint64_t seed);

}  // namespace nnc::testing
