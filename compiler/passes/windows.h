// Rules for windows that lie side by side: part of `simplify`.
#pragma once

#include "compiler/ir/builder.h"
#include "compiler/ir/graph.h"

namespace nnc::passes {

// Windows of one element, or as far apart as they are long, are blocks: a reshape and a
// transposition instead of `window` or `fold`, whose gradients move numbers and add up none.
// Null for any other node.
ir::Value* simplify_windows(ir::Node& node, ir::Builder& b);

}  // namespace nnc::passes
