// Memory that values of a program share, one after the other.
#pragma once

#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::kernel {

// A value in the arena: written by group `first`, read for the last time by group `last`.
struct Slot {
  const ir::Value* value = nullptr;
  size_t bytes = 0;  // whole lines of 64
  size_t first = 0, last = 0;
  size_t alignment = 64;  // of the offset
  size_t offset = 0;
};

// Bytes of the values alive at each of `groups` groups: those that it writes, and those written
// before that it or a later group reads. No plan for this order of groups needs less than the
// largest of them.
std::vector<size_t> live_sets(const std::vector<Slot>& slots, size_t groups);

// Adds barriers where the values between two of them need much more room together than those that
// are alive at once. `barriers`: whether threads wait before each group; `fixed`: where they
// cannot.
void add_barriers_for_memory(const std::vector<Slot>& slots, const std::vector<bool>& fixed,
                             std::vector<bool>& barriers);

// Gives every slot an offset. Memory is used again after a barrier only. The bytes of all.
size_t lay_out(std::vector<Slot>& slots, const std::vector<bool>& barriers);

// Slots as large as those of a stripe are in all of several together, for live_sets.
std::vector<Slot> all_together(const std::vector<Slot>& striped, size_t stripes);

struct ArenaBytes {
  size_t stripe = 0, all = 0;
};

// The arena begins with so many stripes, and `striped` have their offsets in each of them; `shared`
// lie where there is room, in the stripes or behind them.
ArenaBytes lay_out(std::vector<Slot>& striped, size_t stripes, std::vector<Slot>& shared,
                   const std::vector<bool>& barriers);

}  // namespace nnc::kernel
