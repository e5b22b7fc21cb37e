// The totals of a contraction whose sums are several chains (chains.h). They wait in the scratch
// memory while a chain is added up in registers.
#pragma once

#include <functional>
#include <vector>

#include "compiler/kernel/contract_schedule.h"

namespace nnc::kernel {

// Of one tile of up to `most` vectors: its chain, what the chains before it have come to, and what
// that rounded off lie one behind the other from `first` on.
class TileChains {
 public:
  TileChains(KernelScope& s, const Type& type, int64_t first, int64_t most)
      : s_(s), k_(s.k), type_(type), first_(first), most_(most) {}

  static int64_t elements(const Type& type, int64_t most) { return 3 * most * type.lanes; }

  void start(size_t vectors) const;
  void add(const std::vector<Value>& chain) const;
  std::vector<Value> values(size_t vectors) const;

 private:
  void each(size_t vectors, const std::function<void(Value)>& body) const;
  Value place(int64_t part, Value vector) const;
  Total total(Value vector) const;

  KernelScope& s_;
  Builder& k_;
  Type type_;
  int64_t first_, most_;
};

// Elements from the chains of a product that is taken by blocks to their totals. Whole vectors are
// read, also behind the last row.
int64_t totals_apart(const ContractionMap& map);

// Adds the chains at `place` to their totals; the next ones start at 0.
void end_chain(KernelScope& s, const Type& type, Value place, int64_t apart);

// Puts the totals in the place of the chains.
void settle_chain(KernelScope& s, const Type& type, Value place, int64_t apart);

}  // namespace nnc::kernel
