#pragma once

#include <string>

#include "compiler/ir/graph.h"

namespace nnc::tool {

// A graph in the language of Graphviz: a box for each node with its op and result types, an ellipse
// for each parameter, edges along values.
std::string dot_of(const ir::Graph& graph);

}  // namespace nnc::tool
