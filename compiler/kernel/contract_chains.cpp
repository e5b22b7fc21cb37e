#include "compiler/kernel/contract_chains.h"

namespace nnc::kernel {

void TileChains::each(size_t vectors, const std::function<void(Value)>& body) const {
  k_.loop(k_.i64(0), k_.i64(static_cast<int64_t>(vectors)), k_.i64(1), body);
}

Value TileChains::place(int64_t part, Value vector) const {
  return k_.add(k_.i64(first_ + part * most_ * type_.lanes), k_.mul(vector, k_.i64(type_.lanes)));
}

Total TileChains::total(Value vector) const {
  return {k_.load(type_, s_.scratch, place(1, vector)),
          k_.load(type_, s_.scratch, place(2, vector))};
}

void TileChains::start(size_t vectors) const {
  const Value zero = k_.constant(type_, 0.0);
  each(vectors, [&](Value v) {
    for (int64_t part : {1, 2}) k_.store(zero, s_.scratch, place(part, v));
  });
}

void TileChains::add(const std::vector<Value>& chain) const {
  for (size_t v = 0; v < chain.size(); ++v)
    k_.store(chain[v], s_.scratch, place(0, k_.i64(static_cast<int64_t>(v))));
  each(chain.size(), [&](Value v) {
    const Total next = plus_chain(k_, total(v), k_.load(type_, s_.scratch, place(0, v)));
    k_.store(next.sum, s_.scratch, place(1, v));
    k_.store(next.rest, s_.scratch, place(2, v));
  });
}

std::vector<Value> TileChains::values(size_t vectors) const {
  std::vector<Value> values;
  for (size_t v = 0; v < vectors; ++v)
    values.push_back(value_of(k_, total(k_.i64(static_cast<int64_t>(v)))));
  return values;
}

int64_t totals_apart(const ContractionMap& map) { return elements_of_result(map) + logical_lanes; }

namespace {

Total total_at(KernelScope& s, const Type& type, Value place, int64_t apart) {
  return {s.k.load(type, s.scratch, s.k.add(place, s.k.i64(apart))),
          s.k.load(type, s.scratch, s.k.add(place, s.k.i64(2 * apart)))};
}

}  // namespace

void end_chain(KernelScope& s, const Type& type, Value place, int64_t apart) {
  const Value chain = s.k.load(type, s.scratch, place);
  const Total total = plus_chain(s.k, total_at(s, type, place, apart), chain);
  s.k.store(total.sum, s.scratch, s.k.add(place, s.k.i64(apart)));
  s.k.store(total.rest, s.scratch, s.k.add(place, s.k.i64(2 * apart)));
  s.k.store(s.k.constant(type, 0.0), s.scratch, place);
}

void settle_chain(KernelScope& s, const Type& type, Value place, int64_t apart) {
  s.k.store(value_of(s.k, total_at(s, type, place, apart)), s.scratch, place);
}

}  // namespace nnc::kernel
