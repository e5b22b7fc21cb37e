// Stable compositions of logarithms: what log_forms puts together.
#pragma once

#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/passes/softmax.h"

namespace nnc::passes {

// log(exp(a) + exp(b)).
ir::Value* log_add(ir::Builder& b, ir::Value* x, ir::Value* y);
// log Σ exp(x) over some axes.
ir::Value* log_sum_exp(ir::Builder& b, ir::Value* x, const std::vector<int64_t>& axes);
// log(sigmoid(z)).
ir::Value* log_sigmoid(ir::Builder& b, ir::Value* z);
// log(softplus(z)).
ir::Value* log_softplus(ir::Builder& b, ir::Value* softplus);
// log p and log(1 - p) of a softmax p.
ir::Value* log_softmax(ir::Builder& b, const Softmax& softmax);
ir::Value* log_other_classes(ir::Builder& b, const Softmax& softmax);

}  // namespace nnc::passes
