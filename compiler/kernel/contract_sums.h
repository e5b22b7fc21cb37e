// The sums of a tile of a contraction: the innermost loop, where the multiply-adds are.
#pragma once

#include <functional>
#include <vector>

#include "compiler/kernel/contraction_map.h"
#include "compiler/kernel/lower_group.h"
#include "compiler/kernel/tile.h"

namespace nnc::kernel {

// Elements of a summed loop, begin … end - 1.
struct Range {
  Value begin, end;
};

// Memory to ask for meanwhile: so many bytes with every step along the sum, from byte `begin` on.
struct Ahead {
  Value pointer, begin;
  int64_t bytes = 0;
};

class ContractSums {
 public:
  // `scratch` holds the panel of B if the tile wants it packed.
  ContractSums(KernelScope& s, const ContractionMap& map, const Tile& tile, Scalar scalar);

  // Adds the products of a range of the innermost summed loop, which begins at `a` and `b`, to the
  // sums of a tile (row after row). `mask`: of the last vector of each row.
  std::vector<Value> add(const Range& range, Value a, Value b, int64_t rows, int64_t vectors,
                         Value mask, std::vector<Value> sums,
                         const std::vector<Ahead>& ahead = {}) const;

  // Copies the panel of B that begins at `first`, one summed element after the other.
  void pack(Value first, int64_t vectors, Value mask) const;

  // The same where B lies turned: `first` is the column that the panel begins with.
  void pack_turned(Value first, int64_t vectors) const;

 private:
  // Where a step along the sum finds its elements: the first row's is pointer[a].
  struct Place {
    Value pointer, a, b;
  };
  // What a step moves in A and in B.
  struct Stride {
    ir::Dim a, b;
  };
  bool by_pairs(const Range& range, int64_t rows, int64_t vectors) const;
  bool needs_own_places(const Stride& step, bool pairs, int64_t rows, int64_t vectors) const;
  void ask(const std::vector<Ahead>& ahead, int64_t steps, std::vector<Value>& carried) const;
  Place behind(const Place& at, const Stride& step) const;
  // Calls `multiply` for every step, so many to a turn of the loop.
  using Multiply = std::function<std::vector<Value>(const Place&, std::vector<Value>)>;
  std::vector<Value> add_counted(const Range& range, Value a, Value b, const Stride& step,
                                 int64_t steps, std::vector<Value> sums,
                                 const Multiply& multiply) const;
  std::vector<Value> add_pointed(const Range& range, Value a, Value b, const Stride& step,
                                 int64_t steps, std::vector<Value> sums,
                                 const Multiply& multiply) const;
  std::vector<Value> multiply(const Place& at, int64_t rows, int64_t vectors, Value mask,
                              std::vector<Value> sums) const;
  std::vector<Value> vectors_of_b(Value pointer, Value from, int64_t vectors, Value mask) const;
  Value shifted(Value base, const ir::Dim& by) const;
  Value moved(Value from, Value steps, const ir::Dim& stride) const;

  KernelScope& s_;
  Builder& k_;
  const ContractionMap& map_;
  const Tile& tile_;
  Scalar scalar_;
  Value a_, b_;
};

}  // namespace nnc::kernel
