// The op of a graph that first made a number which is none, on the way to a result.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/ir/op.h"

namespace nnc::workbench {

struct Culprit {
  const ir::Node* node = nullptr;  // of the graph given; null if there is none
  double value = 0;                // what it made
  std::vector<double> inputs;      // of that element; of a sum, the largest of each operand
  bool rounded = false;            // exact arithmetic would have been finite
};

// Evaluates the graph in f64 and walks from its output `from` back to where its first number that
// is none came from; an `if` is followed where it was chosen. Numbers that the element type cannot
// hold count as infinite. If there are none the search is done again with every result rounded to
// its type. A graph without such an output is searched in order.
Culprit find_culprit(const ir::Graph& graph, const std::string& from,
                     const std::map<std::string, ir::Tensor>& inputs, ir::EvalOptions options);

}  // namespace nnc::workbench
