// Where every value of a scheduled graph lives, and where threads wait for each other.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/kernel/hazards.h"
#include "compiler/kernel/row_blocks.h"

namespace nnc::kernel {

struct Place {
  enum class Kind : uint8_t { arena, stripe, thread, state, input, output, scalar };
  Kind kind = Kind::arena;
  size_t offset = 0;  // arena, stripe, thread, state: bytes
  size_t index = 0;   // input, output, scalar: position in the entry's lists
};

struct PlannedGroup {
  GroupFacts facts;
  bool barrier_before = false;
  bool striped = false;  // some of its values lie in stripes
  // Bytes of the values that are alive while the group runs (arena.h): shared, and of each thread.
  size_t live_bytes = 0, own_live_bytes = 0;
};

struct Plan {
  std::vector<PlannedGroup> groups;
  std::vector<RowBlocks> blocks;  // groups that run for blocks of rows
  Stripes stripes;
  std::map<const ir::Value*, Place> places;
  size_t arena_bytes = 0;   // shared by all threads
  size_t thread_bytes = 0;  // of each thread, behind it: thread t at arena_bytes + t · thread_bytes
  size_t scratch_offset = 0;  // in a thread's part: what kernels use while they run
  int barriers = 0;
  std::vector<std::string> inputs, outputs, scalars, states;  // external names, in order of index
};

// The rows that group number `group` of the plan is called for at most.
int64_t rows_of_call(const Plan& plan, size_t group, int64_t batch);

// Barriers first, then places. `state_offsets`: bytes into the slab by state name; InternalError
// for a state that has none.
Plan make_plan(const ir::Graph& graph, const std::map<std::string, size_t>& state_offsets,
               const Target& target);

// What a program needs with so many threads.
size_t arena_bytes(const Plan& plan, int threads);

// The largest set of values alive at once, in bytes of whole lines, and the line behind them; a
// value that every thread has for itself counts for each. No plan of this order of groups can do
// with less.
size_t live_bytes(const Plan& plan, int threads);

}  // namespace nnc::kernel
