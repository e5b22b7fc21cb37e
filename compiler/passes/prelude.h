// Inference graphs: what depends on weights only is computed once, not for every row or batch.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::passes {

// A value that depends on states only, kept as a state of its own.
struct DerivedState {
  std::string name;  // "fc1.kernel:folded", after the first state that it is made of
  ir::Type type;
};

// Collects what several inference graphs compute of states alone in one graph without rows.
class Prelude {
 public:
  Prelude();

  // Takes such values out of `graph`, which from then on reads them as states. Equal ones of
  // several graphs become one. Whether there were any.
  bool take_from(ir::Graph& graph);

  // Assigns every derived state; in the order in which they were found.
  const ir::Graph& graph() const { return *graph_; }
  const std::vector<DerivedState>& states() const { return states_; }

 private:
  const DerivedState& derive(const ir::Value* value);
  ir::Value* copy(const ir::Value* value);
  std::string text_of(const ir::Value* value) const;
  std::string first_state(const ir::Value* value) const;
  std::string fresh_name(const ir::Value* value) const;

  std::unique_ptr<ir::Graph> graph_;
  std::vector<DerivedState> states_;
  std::map<std::string, size_t> known_;  // what is computed, as text -> states_
  // Of the graph that is looked at: its values in graph_, the names of its states.
  std::map<const ir::Value*, ir::Value*> copies_;
  std::map<const ir::Value*, std::string> names_;
};

}  // namespace nnc::passes
