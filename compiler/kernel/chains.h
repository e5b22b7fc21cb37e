// Long sums. One chain of additions in f32 loses more the longer it is: a hundred thousand equal
// terms lose five digits. So a long sum is several chains, which are added up together with what
// each addition rounded off (TwoSum: Knuth, The Art of Computer Programming 2, 4.2.2; summation
// with it: Ogita, Rump, Oishi, Accurate sum and dot product, 2005): its error is that of one chain.
// Where chains begin follows from the shape alone.
#pragma once

#include <vector>

#include "compiler/kernel/lower_group.h"

namespace nnc::kernel {

// Every step of the loops outside of `loop`, and every `steps` of it, begin a new chain.
struct Chains {
  size_t loop = 0;
  int64_t steps = 0;  // 0: the sum is one chain
  bool several() const { return steps > 0; }
};

// Of a sum over these loops, outermost first: one chain of up to `most` additions, or chains
// of up to `longest` each.
Chains chains_of(const std::vector<ir::Dim>& loops, int64_t batch, int64_t most, int64_t longest);

// Of folds along rows and down columns. That many equal terms lose at most 1e-6 in f32.
constexpr int64_t longest_fold = 64;

// A sum of up to so many products is one chain, a longer one chains of up to `longest_chain`: in
// f32, sums of numbers of one sign then lose less than 1e-6.
constexpr int64_t longest_sum = 4096, longest_chain = 1024;

// What chains of additions have come to, and what that rounded off.
struct Total {
  Value sum, rest;
};

Total plus_chain(Builder& k, const Total& total, Value chain);

// An infinite sum leaves no rest that means anything.
Value value_of(Builder& k, const Total& total);

// Accumulators of reductions of all kinds over several chains. Each takes one of the values that
// loops carry, or two if it adds up numbers with a fraction.
class ChainTotals {
 public:
  // `reductions`: of each accumulator.
  ChainTotals(KernelScope& s, std::vector<const ir::Node*> reductions)
      : s_(s), reductions_(std::move(reductions)) {}

  std::vector<Value> start(int lanes) const;
  std::vector<Value> plus(const std::vector<Value>& carried, const std::vector<Value>& chain) const;
  std::vector<Value> values(const std::vector<Value>& carried) const;

 private:
  static bool has_rest(const ir::Node& reduction);

  KernelScope& s_;
  std::vector<const ir::Node*> reductions_;
};

}  // namespace nnc::kernel
