#include "compiler/kernel/contract_loops.h"

namespace nnc::kernel {

ContractLoops::ContractLoops(KernelScope& s)
    : s_(s),
      k_(s.k),
      node_(*s.shape.contract),
      map_(*map_contraction(node_)),
      schedule_(schedule_of(s.context, map_)),
      tile_(schedule_.tile),
      scalar_(scalar_of(node_.result()->type.dtype)),
      sums_(s, map_, tile_, scalar_),
      fetch_(s, map_, schedule_),
      outer_(map_.outer.size()),
      chains_(s, {scalar_, tile_.lanes}, schedule_.chains_place, tile_vectors(schedule_)),
      borders_(zero_borders(s.context.node, map_)) {}

ContractLoops::Offsets ContractLoops::moved(const Offsets& at, const MapDim& dim, Value i) {
  return {dim.a.size ? plus(at.a, scaled(i, dim.a)) : at.a,
          dim.b.size ? plus(at.b, scaled(i, dim.b)) : at.b,
          dim.c.size ? plus(at.c, scaled(i, dim.c)) : at.c};
}

void ContractLoops::each_block(size_t d, const Range range, int64_t steps,
                               const std::function<void()>& body) {
  const Value step = k_.i64(steps);
  k_.loop(range.begin, range.end, step, [&](Value first) {
    s_.e.open_scope();
    ranges_.resize(d);
    ranges_.push_back({first, k_.min(k_.add(first, step), range.end)});
    body();
    s_.e.close_scope();
  });
}

std::vector<Value> ContractLoops::zeros(int64_t vectors) const {
  return {static_cast<size_t>(vectors), k_.constant({scalar_, tile_.lanes}, 0.0)};
}

std::vector<Value> ContractLoops::sums_of(const Offsets& at, const Part& part) {
  const std::vector<Value> nothing = zeros(part.rows * part.vectors);
  if (!schedule_.chains.several()) return sum_loops(0, at, part, nothing);
  chains_.start(nothing.size());
  chain_loops(0, at, [&](size_t d, const Offsets& from) {
    chains_.add(sum_loops(d, from, part, nothing));
  });
  return chains_.values(nothing.size());
}

// Calls `chain` with the loop that each chain is a range of, and where it begins.
void ContractLoops::chain_loops(size_t d, const Offsets& at,
                                const std::function<void(size_t, const Offsets&)>& chain) {
  if (d < schedule_.chains.loop) {
    const Range all = range_of(d);
    k_.loop(all.begin, all.end, k_.i64(1), [&](Value i) {
      s_.e.open_scope();
      ranges_.resize(d);
      ranges_.push_back(all);
      chain_loops(d + 1, moved(at, map_.k[d], i), chain);
      s_.e.close_scope();
    });
  } else {
    each_block(d, whole(d), schedule_.chains.steps, [&] { chain(d, at); });
  }
  ranges_.resize(d);
}

// The steps of a summed loop that are taken now, without those that meet nothing but zeros.
Range ContractLoops::range_of(size_t d) {
  Range range = d < ranges_.size() ? ranges_[d] : whole(d);
  leave_out_zeros(k_, borders_, d, outer_, range.begin, range.end);
  return range;
}

// The innermost summed loop.
std::vector<Value> ContractLoops::run(const Range& range, const Offsets& at, const Part& part,
                                      std::vector<Value> sums) {
  const auto add = [&](const std::vector<Ahead>& ahead) {
    sums = sums_.add(range, at.a, at.b, part.rows, part.vectors, part.mask, std::move(sums), ahead);
  };
  if (!fetch_.active()) {
    add(ahead_);
    return sums;
  }
  const Value number = sums.back();
  sums.pop_back();
  fetch_.fetch(number);
  add({});
  sums.push_back(k_.add(number, k_.i64(1)));
  return sums;
}

std::vector<Value> ContractLoops::sum_loops(size_t d, const Offsets& at, const Part& part,
                                            const std::vector<Value>& sums) {
  const Range range = range_of(d);
  if (d + 1 == map_.k.size()) return run(range, at, part, sums);
  return k_.loop(range.begin, range.end, k_.i64(1), sums,
                 [&](Value i, const std::vector<Value>& carried) {
                   return sum_loops(d + 1, moved(at, map_.k[d], i), part, carried);
                 });
}

}  // namespace nnc::kernel
