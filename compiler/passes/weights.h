// Which values of an inference graph are made of weights: they can be computed once (prelude.h).
#pragma once

#include <map>

#include "compiler/ir/graph.h"

namespace nnc::passes {

class WeightValues {
 public:
  explicit WeightValues(const ir::Graph& graph);

  // Whether a value is made of states (one at least) and constants, without rows.
  bool from_states(const ir::Value* value) { return kind(value) == Kind::state; }

 private:
  enum class Kind { constant, state, other };
  Kind kind(const ir::Value* value);

  std::map<const ir::Value*, Kind> known_;
};

}  // namespace nnc::passes
