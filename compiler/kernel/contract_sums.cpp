#include "compiler/kernel/contract_sums.h"

#include "compiler/kernel/contract_places.h"
#include "compiler/kernel/transpose.h"

namespace nnc::kernel {

using ir::Dim;

ContractSums::ContractSums(KernelScope& s, const ContractionMap& map, const Tile& tile,
                           Scalar scalar)
    : s_(s), k_(s.k), map_(map), tile_(tile), scalar_(scalar) {
  a_ = operand_pointer(s_, map_.a);
  b_ = operand_pointer(s_, map_.b);
}

// Two steps in one turn of the loop leave fewer instructions beside the multiply-adds. The
// scheduler of the code generator, where it runs, loads both steps' vectors first: they need
// registers.
bool ContractSums::by_pairs(const Range& range, int64_t rows, int64_t vectors) const {
  const auto first = k_.known(range.begin), behind = k_.known(range.end);
  if (rows == 1 || !first || !behind || (*behind - *first) % 2 != 0) return false;
  return s_.context.updates || (rows + 2) * vectors + 2 <= s_.context.target.registers;
}

std::vector<Value> ContractSums::add(const Range& range, Value a, Value b, int64_t rows,
                                     int64_t vectors, Value mask, std::vector<Value> sums) const {
  const Dim a_step = map_.k.back().a;
  const Dim b_step = tile_.packed ? Dim{vectors * tile_.lanes, false} : map_.k.back().b;
  const bool pairs = by_pairs(range, rows, vectors);
  const auto step = [&](const Place& at, std::vector<Value> now) {
    now = multiply(at, rows, vectors, mask, std::move(now));
    if (!pairs) return now;
    return multiply({shifted(at.a, a_step), shifted(at.b, b_step)}, rows, vectors, mask,
                    std::move(now));
  };
  const Place start{moved(a, range.begin, a_step),
                    moved(tile_.packed ? k_.i64(0) : b, range.begin, b_step)};
  const int64_t steps = pairs ? 2 : 1;
  // The loop counts where A stands, and carries where B stands.
  const bool counts_a = a_step.size > 0 && !a_step.batch;
  const Value begin = counts_a ? start.a : range.begin;
  const Value end = counts_a ? moved(a, range.end, a_step) : range.end;
  sums.push_back(start.b);
  sums = k_.loop(begin, end, k_.i64(counts_a ? steps * a_step.size : steps), sums,
                 [&](Value i, std::vector<Value> now) {
                   const Place at{counts_a ? i : moved(a, i, a_step), now.back()};
                   now.pop_back();
                   now = step(at, std::move(now));
                   now.push_back(moved(at.b, k_.i64(steps), b_step));
                   return now;
                 });
  sums.pop_back();
  return sums;
}

std::vector<Value> ContractSums::multiply(const Place& at, int64_t rows, int64_t vectors,
                                          Value mask, std::vector<Value> sums) const {
  const auto b = tile_.packed ? vectors_of_b(s_.scratch, at.b, vectors, {})
                              : vectors_of_b(b_, at.b, vectors, mask);
  for (int64_t i = 0; i < rows; ++i) {
    const Dim row{i * map_.m.a.size, map_.m.a.batch};
    const Value a = k_.splat(k_.load({scalar_, 1}, a_, shifted(at.a, row)), tile_.lanes);
    for (int64_t j = 0; j < vectors; ++j) {
      Value& sum = sums[static_cast<size_t>(i * vectors + j)];
      sum = k_.muladd(a, b[static_cast<size_t>(j)], sum);
    }
  }
  return sums;
}

std::vector<Value> ContractSums::vectors_of_b(Value pointer, Value from, int64_t vectors,
                                              Value mask) const {
  std::vector<Value> b;
  for (int64_t j = 0; j < vectors; ++j)
    b.push_back(k_.load({scalar_, tile_.lanes}, pointer, shifted(from, Dim{j * tile_.lanes, false}),
                        j == vectors - 1 ? mask : Value{}));
  return b;
}

void ContractSums::pack(Value first, int64_t vectors, Value mask) const {
  const MapDim& dim = map_.k.front();
  const Dim packed{vectors * tile_.lanes, false};
  k_.loop(k_.i64(0), s_.e.extent(dim.extent), k_.i64(1), [&](Value i) {
    const Value to = moved(k_.i64(0), i, packed);
    const auto values = vectors_of_b(b_, moved(first, i, dim.b), vectors, mask);
    for (int64_t j = 0; j < vectors; ++j)
      k_.store(values[static_cast<size_t>(j)], s_.scratch, k_.add(to, k_.i64(j * tile_.lanes)));
  });
}

// 16 columns are read side by side, each from start to end.
void ContractSums::pack_turned(Value first, int64_t vectors) const {
  const int64_t width = vectors * tile_.lanes;
  const Type type{scalar_, logical_lanes};
  const auto nth = [&](Value base, Value i, int64_t r, Value stride) {
    return k_.add(base, k_.mul(k_.add(i, k_.i64(r)), stride));
  };
  const Value column = s_.e.extent(map_.n.b), side = k_.i64(logical_lanes);
  k_.loop(k_.i64(0), k_.i64(width), side, [&](Value n) {
    k_.loop(k_.i64(0), s_.e.extent(map_.k.front().extent), side, [&](Value i) {
      std::vector<Value> block;
      for (int64_t r = 0; r < logical_lanes; ++r)
        block.push_back(k_.load(type, b_, nth(k_.add(first, i), n, r, column)));
      transpose_registers(k_, block);
      for (int64_t r = 0; r < logical_lanes; ++r)
        k_.store(block[static_cast<size_t>(r)], s_.scratch, nth(n, i, r, k_.i64(width)));
    });
  });
}

Value ContractSums::shifted(Value base, const Dim& by) const {
  return by.size == 0 ? base : k_.add(base, s_.e.extent(by));
}

Value ContractSums::moved(Value from, Value steps, const Dim& stride) const {
  return stride.size == 0 ? from : k_.add(from, scaled(s_, steps, stride));
}

}  // namespace nnc::kernel
