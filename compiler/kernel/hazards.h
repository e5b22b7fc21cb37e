// Which groups of a fused graph may run without a barrier between them, for every thread count.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/kernel/lower_group.h"

namespace nnc::kernel {

// What barriers depend on, per group of a fused graph.
struct GroupFacts {
  const ir::Node* node = nullptr;
  Slice slice;
  std::vector<OperandKind> operands;
  std::set<const ir::Value*> reads;  // values of the graph
  std::set<const ir::Value*>
      aligned;  // of those, and of fields: each thread reads its own rows only
  std::set<const ir::Value*> writes;  // states written in place by assign
  // Every thread makes all of the results for itself, in memory of its own. What all threads read
  // whole and can be had from the data set for the price of a copy is not worth sharing.
  bool per_thread = false;
};

// State parameter that each group result is assigned to.
std::map<const ir::Value*, const ir::Value*> assigned_states(const ir::Graph& graph);

// Whether the program writes weights (or other states) that it also reads.
bool updates_states(const ir::Graph& graph);

// Whether a kernel asks which row of the batch it is at.
bool counts_rows(const ir::Graph& region);

// Whether the group can run for any range of rows by itself.
bool keeps_rows(const GroupFacts& group);

// Of all groups, in the order of the graph.
std::vector<GroupFacts> facts_of(const ir::Graph& graph, const Target& target);

// The groups that ran since the last barrier.
class Interval {
 public:
  // Whether some thread could read, or overwrite, what another thread is still working on if `next`
  // ran now. Groups have to be asked and added in order of execution.
  bool needs_barrier(const GroupFacts& next) const;
  void add(const GroupFacts& group);
  void clear();

 private:
  struct Access {
    bool rows = false, single = false;
  };
  std::map<const ir::Value*, Access> written_;
  std::map<const ir::Value*, Access> read_;  // all readers were single
};

}  // namespace nnc::kernel
