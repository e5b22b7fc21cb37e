// The softmax as graphs write it, and what passes build around it.
#pragma once

#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/ir/graph.h"

namespace nnc::passes {

// exp(x) / Σ exp(x) over some axes.
struct Softmax {
  ir::Node* exponential = nullptr;  // exp(x)
  ir::Node* sum = nullptr;          // reduce_sum(exp(x))
  ir::Value* argument() const { return exponential->operands[0]; }
  const std::vector<int64_t>& axes() const { return sum->attributes.integers("axes"); }
};

// Whether the value is a softmax; fills `found` then.
bool match_softmax(const ir::Value* value, Softmax& found);

// Spreads a reduced value over the shape it was reduced from.
ir::Value* spread(ir::Builder& b, ir::Value* reduced, const ir::Value* like,
                  const std::vector<int64_t>& axes);

// Whether x is what remains of something after its maximum was taken off: exp(x) is at most 1.
bool is_shifted(const ir::Value* x);

}  // namespace nnc::passes
