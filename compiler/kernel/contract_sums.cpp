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

// Whether each step of a turn has a pointer of its own to A, and a place of its own in B. It costs
// an addition each and saves more in steps, which are compiled without the passes that would choose
// and move addresses and loads themselves:
// - a multiply-add that takes an element of A from memory begins as two instructions if the address
//   is a sum of two registers (Intel);
// - the code generator brings up to four loads together that are near one another and begin at the
//   same register, and keeps an element of A that both steps of a pair read; the vectors that wait
//   meanwhile drive sums out of their registers.
bool ContractSums::needs_own_places(const Stride& step, bool pairs, int64_t rows,
                                    int64_t vectors) const {
  if (!s_.context.updates || rows == 1 || step.a.size <= 0 || step.a.batch) return false;
  constexpr int64_t brought_together = 4;
  const Dim row = map_.m.a;
  const bool shared =
      !row.batch && row.size > 0 && step.a.size % row.size == 0 && step.a.size / row.size < rows;
  return vectors == 1 || (pairs && (vectors < brought_together || shared));
}

std::vector<Value> ContractSums::add(const Range& range, Value a, Value b, int64_t rows,
                                     int64_t vectors, Value mask, std::vector<Value> sums,
                                     const std::vector<Ahead>& ahead) const {
  const Stride step{map_.k.back().a,
                    tile_.packed ? Dim{vectors * tile_.lanes, false} : map_.k.back().b};
  if (tile_.packed) b = k_.i64(0);
  const bool pairs = by_pairs(range, rows, vectors);
  const int64_t steps = pairs ? 2 : 1;
  int64_t taken = 0;  // steps of one turn of the loop
  const auto one_step = [&](const Place& at, std::vector<Value> now) {
    if (taken++ == 0) ask(ahead, steps, now);
    return multiply(at, rows, vectors, mask, std::move(now));
  };
  const bool own = needs_own_places(step, pairs, rows, vectors);
  const auto way = own ? &ContractSums::add_pointed : &ContractSums::add_counted;
  for (const Ahead& memory : ahead) sums.push_back(memory.begin);
  sums = (this->*way)(range, a, b, step, steps, std::move(sums), one_step);
  sums.resize(sums.size() - ahead.size());
  return sums;
}

// The last of the carried values say where each stands.
void ContractSums::ask(const std::vector<Ahead>& ahead, int64_t steps,
                       std::vector<Value>& carried) const {
  for (size_t i = 0; i < ahead.size(); ++i) {
    Value& at = carried[carried.size() - ahead.size() + i];
    const int64_t bytes = steps * ahead[i].bytes;
    for (int64_t b = 0; b < bytes; b += line) k_.prefetch(ahead[i].pointer, k_.add(at, k_.i64(b)));
    at = k_.add(at, k_.i64(bytes));
  }
}

ContractSums::Place ContractSums::behind(const Place& at, const Stride& step) const {
  return {at.pointer, shifted(at.a, step.a), shifted(at.b, step.b)};
}

// The loop counts where A stands, and carries where B stands.
std::vector<Value> ContractSums::add_counted(const Range& range, Value a, Value b,
                                             const Stride& step, int64_t steps,
                                             std::vector<Value> sums,
                                             const Multiply& multiply) const {
  const bool counts_a = step.a.size > 0 && !step.a.batch;
  const Value begin = counts_a ? moved(a, range.begin, step.a) : range.begin;
  const Value end = counts_a ? moved(a, range.end, step.a) : range.end;
  sums.push_back(moved(b, range.begin, step.b));
  sums = k_.loop(begin, end, k_.i64(counts_a ? steps * step.a.size : steps), sums,
                 [&](Value i, std::vector<Value> now) {
                   const Value at_b = now.back();
                   Place at{a_, counts_a ? i : moved(a, i, step.a), at_b};
                   now.pop_back();
                   for (int64_t s = 0; s < steps; ++s) {
                     if (s > 0) at = behind(at, step);
                     now = multiply(at, std::move(now));
                   }
                   now.push_back(moved(at_b, k_.i64(steps), step.b));
                   return now;
                 });
  sums.pop_back();
  return sums;
}

std::vector<Value> ContractSums::add_pointed(const Range& range, Value a, Value b,
                                             const Stride& step, int64_t steps,
                                             std::vector<Value> sums,
                                             const Multiply& multiply) const {
  const size_t count = sums.size();
  const int64_t bytes = bytes_of(scalar_);
  Place first{a_, moved(a, range.begin, step.a), moved(b, range.begin, step.b)};
  for (int64_t s = 0; s < steps; ++s) {
    if (s > 0) first = behind(first, step);
    sums.push_back(k_.offset(a_, k_.mul(first.a, k_.i64(bytes))));
    sums.push_back(first.b);
  }
  const Value next_a = k_.i64(steps * step.a.size * bytes);
  sums = k_.loop(range.begin, range.end, k_.i64(steps), sums,
                 [&](Value, const std::vector<Value>& now) {
                   std::vector<Value> next(now.begin(), now.begin() + static_cast<long>(count));
                   for (size_t p = count; p < now.size(); p += 2)
                     next = multiply({now[p], k_.i64(0), now[p + 1]}, std::move(next));
                   for (size_t p = count; p < now.size(); p += 2) {
                     next.push_back(k_.offset(now[p], next_a));
                     next.push_back(moved(now[p + 1], k_.i64(steps), step.b));
                   }
                   return next;
                 });
  sums.resize(count);
  return sums;
}

std::vector<Value> ContractSums::multiply(const Place& at, int64_t rows, int64_t vectors,
                                          Value mask, std::vector<Value> sums) const {
  const auto b = tile_.packed ? vectors_of_b(s_.scratch, at.b, vectors, {})
                              : vectors_of_b(b_, at.b, vectors, mask);
  for (int64_t i = 0; i < rows; ++i) {
    const Dim row{i * map_.m.a.size, map_.m.a.batch};
    const Value a = k_.splat(k_.load({scalar_, 1}, at.pointer, shifted(at.a, row)), tile_.lanes);
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
  const auto place_in_b = [&](Value i) {
    if (map_.turned_run == 0) return k_.add(first, i);
    const Value run = k_.i64(map_.turned_run);
    const Value panel = k_.mul(k_.div(i, run), k_.i64(map_.turned_stride));
    return k_.add(k_.add(first, panel), k_.binary(Op::rem, i, run));
  };
  k_.loop(k_.i64(0), k_.i64(width), side, [&](Value n) {
    k_.loop(k_.i64(0), s_.e.extent(map_.k.front().extent), side, [&](Value i) {
      std::vector<Value> block;
      const Value from = place_in_b(i);
      for (int64_t r = 0; r < logical_lanes; ++r)
        block.push_back(k_.load(type, b_, nth(from, n, r, column)));
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
