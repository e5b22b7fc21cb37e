#include "compiler/kernel/arena.h"

#include <algorithm>

namespace nnc::kernel {

namespace {

size_t aligned(size_t bytes, size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

// A barrier takes a fraction of a microsecond: an arena that grows by less than this over its lower
// bound is not worth one.
constexpr double worth_a_barrier = 1.08;

// Bytes of the values alive somewhere in the groups from `first` to `last`.
size_t live_between(const std::vector<Slot>& slots, size_t first, size_t last) {
  size_t bytes = 0;
  for (const Slot& slot : slots)
    if (slot.first <= last && first <= slot.last) bytes += slot.bytes;
  return bytes;
}

// The groups between two barriers.
struct Stretch {
  size_t first = 0, last = 0, bytes = 0;
};

Stretch largest_stretch(const std::vector<Slot>& slots, const std::vector<bool>& barriers) {
  Stretch largest;
  for (size_t first = 0, last = 0; first < barriers.size(); first = last + 1) {
    last = first;
    while (last + 1 < barriers.size() && !barriers[last + 1]) ++last;
    const size_t bytes = live_between(slots, first, last);
    if (bytes > largest.bytes) largest = {first, last, bytes};
  }
  return largest;
}

// The group before which a barrier leaves the least on its larger side; 0: there is none.
size_t best_cut(const std::vector<Slot>& slots, const std::vector<bool>& fixed,
                const Stretch& stretch) {
  size_t best = 0, least = stretch.bytes + 1;
  for (size_t cut = stretch.first + 1; cut <= stretch.last; ++cut) {
    if (fixed[cut]) continue;
    const size_t bytes = std::max(live_between(slots, stretch.first, cut - 1),
                                  live_between(slots, cut, stretch.last));
    if (bytes >= least) continue;
    least = bytes;
    best = cut;
  }
  return best;
}

// The number of barriers before and at each group.
std::vector<int> intervals_of(const std::vector<bool>& barriers) {
  std::vector<int> intervals;
  int now = 0;
  for (const bool barrier : barriers) intervals.push_back(now += barrier ? 1 : 0);
  return intervals;
}

// The largest weights first; names make one order of equal ones.
template <typename Weight>
void sort_by(std::vector<Slot>& slots, Weight weight) {
  std::sort(slots.begin(), slots.end(), [&](const Slot& a, const Slot& b) {
    const size_t x = weight(a), y = weight(b);
    return x != y ? x > y : a.value->name < b.value->name;
  });
}

// Each slot at the lowest offset where nothing lies that is alive at the same time. The bytes of
// all.
size_t lay_out_in_order(std::vector<Slot>& slots, const std::vector<int>& interval) {
  auto overlap = [&](const Slot& a, const Slot& b) {
    return interval[a.first] <= interval[b.last] && interval[b.first] <= interval[a.last];
  };
  size_t total = 0;
  for (size_t i = 0; i < slots.size(); ++i) {
    std::vector<const Slot*> others;
    for (size_t j = 0; j < i; ++j)
      if (overlap(slots[i], slots[j])) others.push_back(&slots[j]);
    std::sort(others.begin(), others.end(),
              [](const Slot* a, const Slot* b) { return a->offset < b->offset; });
    size_t offset = 0;
    for (const Slot* other : others) {
      if (offset + slots[i].bytes <= other->offset) break;
      offset = std::max(offset, aligned(other->offset + other->bytes, slots[i].alignment));
    }
    slots[i].offset = offset;
    total = std::max(total, offset + slots[i].bytes);
  }
  return total;
}

}  // namespace

std::vector<size_t> live_sets(const std::vector<Slot>& slots, size_t groups) {
  std::vector<size_t> sets;
  for (size_t now = 0; now < groups; ++now) sets.push_back(live_between(slots, now, now));
  return sets;
}

void add_barriers_for_memory(const std::vector<Slot>& slots, const std::vector<bool>& fixed,
                             std::vector<bool>& barriers) {
  const std::vector<size_t> sets = live_sets(slots, barriers.size());
  if (sets.empty()) return;
  const auto least = static_cast<double>(*std::max_element(sets.begin(), sets.end()));
  while (true) {
    const Stretch stretch = largest_stretch(slots, barriers);
    if (static_cast<double>(stretch.bytes) <= worth_a_barrier * least) return;
    const size_t cut = best_cut(slots, fixed, stretch);
    if (cut == 0) return;
    barriers[cut] = true;
  }
}

size_t lay_out(std::vector<Slot>& slots, const std::vector<bool>& barriers) {
  const std::vector<int> interval = intervals_of(barriers);
  auto stay = [&](const Slot& slot) {
    return static_cast<size_t>(interval[slot.last] - interval[slot.first] + 1);
  };
  // The largest first, or those first that are in the way of most.
  auto by_size = [](const Slot& slot) { return slot.bytes; };
  auto by_stay = [&](const Slot& slot) { return slot.bytes * stay(slot); };
  std::vector<Slot> other = slots;
  sort_by(slots, by_size);
  sort_by(other, by_stay);
  const size_t bytes = lay_out_in_order(slots, interval);
  const size_t other_bytes = lay_out_in_order(other, interval);
  if (bytes <= other_bytes) return bytes;
  slots = std::move(other);
  return other_bytes;
}

}  // namespace nnc::kernel
