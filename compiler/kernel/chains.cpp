#include "compiler/kernel/chains.h"

#include <algorithm>

#include "compiler/kernel/lower_reduce.h"

namespace nnc::kernel {

Chains chains_of(const std::vector<ir::Dim>& loops, int64_t batch, int64_t most, int64_t longest) {
  int64_t all = 1;
  for (const ir::Dim& dim : loops) all *= dim.extent(batch);
  if (all <= most) return {};
  int64_t inner = 1;
  for (size_t d = loops.size(); d-- > 0;) {
    const int64_t extent = loops[d].extent(batch);
    if (inner * extent > longest) return {d, std::max<int64_t>(longest / inner, 1)};
    inner *= extent;
  }
  return {};
}

Total plus_chain(Builder& k, const Total& total, Value chain) {
  const Value sum = k.add(total.sum, chain);
  const Value taken = k.sub(sum, total.sum);
  const Value lost = k.add(k.sub(total.sum, k.sub(sum, taken)), k.sub(chain, taken));
  return {sum, k.add(total.rest, lost)};
}

Value value_of(Builder& k, const Total& total) {
  return k.select(k.compare(Op::eq, total.rest, total.rest), k.add(total.sum, total.rest),
                  total.sum);
}

bool ChainTotals::has_rest(const ir::Node& reduction) {
  return reduction.op->adds && reduction.result()->type.is_float();
}

std::vector<Value> ChainTotals::start(int lanes) const {
  std::vector<Value> carried;
  for (const ir::Node* reduction : reductions_)
    carried.insert(carried.end(), has_rest(*reduction) ? 2 : 1, identity(s_, *reduction, lanes));
  return carried;
}

std::vector<Value> ChainTotals::plus(const std::vector<Value>& carried,
                                     const std::vector<Value>& chain) const {
  std::vector<Value> next;
  for (size_t i = 0; i < reductions_.size(); ++i) {
    const Value before = carried[next.size()];
    if (!has_rest(*reductions_[i])) {
      next.push_back(combine(s_, *reductions_[i], before, chain[i]));
      continue;
    }
    const Total total = plus_chain(s_.k, {before, carried[next.size() + 1]}, chain[i]);
    next.insert(next.end(), {total.sum, total.rest});
  }
  return next;
}

std::vector<Value> ChainTotals::values(const std::vector<Value>& carried) const {
  std::vector<Value> values;
  size_t next = 0;
  for (const ir::Node* reduction : reductions_) {
    const Value sum = carried[next++];
    values.push_back(has_rest(*reduction) ? value_of(s_.k, {sum, carried[next++]}) : sum);
  }
  return values;
}

}  // namespace nnc::kernel
