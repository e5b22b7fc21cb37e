// Memory that values share: the lower bound by hand, and the arena against it over random
// lifetimes.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "compiler/kernel/arena.h"

namespace {

using namespace nnc;
using kernel::Slot;

// Slots with names, which decide between equal ones.
struct Slots {
  std::vector<std::unique_ptr<ir::Value>> values;
  std::vector<Slot> list;

  void add(size_t bytes, size_t first, size_t last) {
    values.push_back(std::make_unique<ir::Value>());
    values.back()->name = "v" + std::to_string(values.size());
    list.push_back({values.back().get(), bytes, first, last, bytes % 320 == 0 ? 320u : 64u, 0});
  }
};

// A value seldom lives long, and few are large.
Slots random_slots(uint64_t seed, size_t groups) {
  std::mt19937_64 source(seed);
  Slots slots;
  for (size_t first = 0; first < groups; ++first)
    for (size_t count = source() % 3; count > 0; --count) {
      const size_t stay = source() % 4 == 0 ? source() % groups : source() % 3;
      slots.add(64 * (1 + source() % (source() % 5 == 0 ? 10000 : 100)), first,
                std::min(groups - 1, first + stay));
    }
  return slots;
}

size_t largest(const std::vector<size_t>& sets) {
  return sets.empty() ? 0 : *std::max_element(sets.begin(), sets.end());
}

// No group that threads could not wait before.
std::vector<bool> anywhere(const std::vector<bool>& barriers) {
  return std::vector<bool>(barriers.size(), false);
}

TEST_CASE("live sets of a chain") {
  Slots slots;
  slots.add(640, 0, 1);
  slots.add(128, 1, 2);
  slots.add(64, 1, 3);
  slots.add(192, 2, 3);
  CHECK(kernel::live_sets(slots.list, 4) == std::vector<size_t>{640, 832, 384, 256});
  CHECK(kernel::live_sets({}, 2) == std::vector<size_t>{0, 0});
}

TEST_CASE("barriers are added where the memory of many values would pile up, and only there") {
  Slots slots;
  for (size_t i = 0; i < 8; ++i) slots.add(6400, i, i + 1);
  slots.add(64, 0, 8);
  std::vector<bool> barriers(9, false);
  kernel::add_barriers_for_memory(slots.list, anywhere(barriers), barriers);
  CHECK(std::count(barriers.begin(), barriers.end(), true) > 0);
  CHECK(kernel::lay_out(slots.list, barriers) <= (2 * 6400 + 64) * 115 / 100);

  Slots flat;  // all alive to the end: no barrier can help
  for (size_t i = 0; i < 8; ++i) flat.add(6400, i, 8);
  std::vector<bool> none(9, false);
  kernel::add_barriers_for_memory(flat.list, anywhere(none), none);
  CHECK(std::count(none.begin(), none.end(), true) == 0);
  CHECK(kernel::lay_out(flat.list, none) == 8 * 6400);
}

TEST_CASE("random lifetimes: barriers stay, nothing overlaps, little is lost") {
  double lost = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    const size_t groups = 1 + seed % 61;
    Slots slots = random_slots(seed, groups);
    std::vector<bool> before(groups), barriers;
    for (size_t i = 1; i < groups; ++i) before[i] = (seed * i) % 7 == 0;
    barriers = before;
    kernel::add_barriers_for_memory(slots.list, anywhere(barriers), barriers);
    std::vector<int> interval(groups);
    for (size_t i = 0; i < groups; ++i) {
      CHECK((barriers[i] || !before[i]));
      interval[i] = (i > 0 ? interval[i - 1] : 0) + (barriers[i] ? 1 : 0);
    }
    const size_t bytes = kernel::lay_out(slots.list, barriers);
    const size_t least = largest(kernel::live_sets(slots.list, groups));
    CHECK(bytes >= least);
    if (least > 0) lost += static_cast<double>(bytes) / static_cast<double>(least) - 1;
    for (const Slot& a : slots.list) {
      CHECK(a.offset % a.alignment == 0);
      for (const Slot& b : slots.list) {
        if (&a == &b) continue;
        const bool same_time =
            interval[a.first] <= interval[b.last] && interval[b.first] <= interval[a.last];
        const bool same_place = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
        CHECK_FALSE((same_time && same_place));
      }
    }
  }
  CHECK(lost / 200 < 0.1);
}

}  // namespace
