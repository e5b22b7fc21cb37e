#include "compiler/kernel/arena.h"

#include <algorithm>
#include <cstdint>

namespace nnc::kernel {

namespace {

size_t aligned(size_t bytes, size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

// A barrier takes a fraction of a microsecond: an arena that grows by less than this over its lower
// bound is not worth one.
constexpr double worth_a_barrier = 1.03;

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
size_t lay_out_in_order(std::vector<Slot>& slots, const std::vector<int>& interval,
                        const std::vector<Slot>& taken) {
  auto overlap = [&](const Slot& a, const Slot& b) {
    return interval[a.first] <= interval[b.last] && interval[b.first] <= interval[a.last];
  };
  size_t total = 0;
  for (const Slot& slot : taken) total = std::max(total, slot.offset + slot.bytes);
  for (size_t i = 0; i < slots.size(); ++i) {
    std::vector<const Slot*> others;
    for (const Slot& slot : taken)
      if (overlap(slots[i], slot)) others.push_back(&slot);
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

namespace {

enum class Order : uint8_t { size, way, stay };
constexpr Order orders[] = {Order::size, Order::way, Order::stay};

// The largest first, those first that are in the way of most, or those that stay longest.
size_t lay_out_by(Order order, std::vector<Slot>& slots, const std::vector<int>& interval,
                  const std::vector<Slot>& taken) {
  sort_by(slots, [&](const Slot& slot) {
    const auto stay = static_cast<size_t>(interval[slot.last] - interval[slot.first] + 1);
    if (order == Order::stay) return stay;
    return order == Order::size ? slot.bytes : slot.bytes * stay;
  });
  return lay_out_in_order(slots, interval, taken);
}

// The best of all orders.
size_t lay_out_around(std::vector<Slot>& slots, const std::vector<int>& interval,
                      const std::vector<Slot>& taken) {
  size_t least = 0;
  std::vector<Slot> best;
  for (const Order order : orders) {
    std::vector<Slot> list = slots;
    const size_t bytes = lay_out_by(order, list, interval, taken);
    if (!best.empty() && bytes >= least) continue;
    least = bytes;
    best = std::move(list);
  }
  slots = std::move(best);
  return least;
}

}  // namespace

size_t lay_out(std::vector<Slot>& slots, const std::vector<bool>& barriers) {
  return lay_out_around(slots, intervals_of(barriers), {});
}

std::vector<Slot> all_together(const std::vector<Slot>& striped, size_t stripes) {
  std::vector<Slot> list = striped;
  for (Slot& slot : list) slot.bytes *= stripes;
  return list;
}

namespace {

// More stripes than these keep the gaps that they leave: looking at each would take long.
constexpr size_t most_filled_stripes = 1024;

// The slots of a stripe where they lie in each of several, which follow each other.
std::vector<Slot> in_all_stripes(const std::vector<Slot>& striped, size_t stripes,
                                 size_t stripe_bytes, size_t groups) {
  if (!striped.empty() && stripes > most_filled_stripes)
    return {{striped.front().value, stripes * stripe_bytes, 0, groups - 1}};
  std::vector<Slot> list;
  for (size_t i = 0; i < stripes; ++i)
    for (Slot slot : striped) {
      slot.offset += i * stripe_bytes;
      list.push_back(slot);
    }
  return list;
}

struct Layout {
  std::vector<Slot> striped, shared;
  ArenaBytes bytes;
};

Layout laid_out(const std::vector<Slot>& striped, size_t stripes, const std::vector<Slot>& shared,
                Order order, const std::vector<int>& interval) {
  Layout layout{striped, shared, {}};
  layout.bytes.stripe = lay_out_by(order, layout.striped, interval, {});
  layout.bytes.all =
      lay_out_around(layout.shared, interval,
                     in_all_stripes(layout.striped, stripes, layout.bytes.stripe, interval.size()));
  return layout;
}

// Stripes leave gaps that no order by a rule fills well. Where too much is lost, other orders are
// tried, each a few changes away from the best one so far, always the same ones.
constexpr double lost = 1.1;
constexpr int most_tries = 1500;
constexpr size_t few_stripes = 8;  // each try looks at all slots of all stripes

class Search {
 public:
  Search(Layout& best, size_t stripes, const std::vector<int>& interval)
      : best_(best), stripes_(stripes), interval_(interval) {}

  void run(size_t enough) {
    const auto tries = static_cast<int>(most_tries * few_stripes / std::max(stripes_, few_stripes));
    for (int i = 0; i < tries && best_.bytes.all > enough; ++i) {
      Layout next = best_;
      for (int k = 0; k < 2; ++k) put_earlier(next.striped);
      if (below(2) == 1) put_earlier(next.shared);
      next.bytes.stripe = lay_out_in_order(next.striped, interval_, {});
      next.bytes.all = lay_out_in_order(
          next.shared, interval_,
          in_all_stripes(next.striped, stripes_, next.bytes.stripe, interval_.size()));
      if (next.bytes.all <= best_.bytes.all) best_ = std::move(next);
    }
  }

 private:
  // A number less than `count` (Knuth's linear congruential generator).
  size_t below(size_t count) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<size_t>(state_ >> 33) % count;
  }

  void put_earlier(std::vector<Slot>& list) {
    if (list.empty()) return;
    const size_t from = below(list.size()), to = below(from + 1);
    const auto at = [&](size_t i) { return list.begin() + static_cast<std::ptrdiff_t>(i); };
    std::rotate(at(to), at(from), at(from + 1));
  }

  Layout& best_;
  size_t stripes_;
  const std::vector<int>& interval_;
  uint64_t state_ = 1;
};

}  // namespace

ArenaBytes lay_out(std::vector<Slot>& striped, size_t stripes, std::vector<Slot>& shared,
                   const std::vector<bool>& barriers) {
  const std::vector<int> interval = intervals_of(barriers);
  Layout best = laid_out(striped, stripes, shared, Order::size, interval);
  if (!striped.empty()) {
    for (const Order order : {Order::way, Order::stay}) {
      Layout next = laid_out(striped, stripes, shared, order, interval);
      if (next.bytes.all < best.bytes.all) best = std::move(next);
    }
    std::vector<Slot> all = all_together(striped, stripes);
    all.insert(all.end(), shared.begin(), shared.end());
    const std::vector<size_t> live = live_sets(all, barriers.size());
    const auto most = static_cast<double>(*std::max_element(live.begin(), live.end()));
    Search(best, stripes, interval).run(static_cast<size_t>(lost * most));
  }
  striped = std::move(best.striped);
  shared = std::move(best.shared);
  return best.bytes;
}

}  // namespace nnc::kernel
