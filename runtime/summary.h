// What a tensor of weights looks like, in a few numbers.
#pragma once

#include <vector>

#include "runtime/abi.h"
#include "runtime/memory.h"

namespace nnc::runtime {

struct Summary {
  int64_t numbers = 0;
  int64_t not_finite = 0;          // of them NaN or infinite; the rest speaks of the others
  double mean = 0;                 // NaN if there are no others
  double deviation = 0;            // of the population
  double least = 0, most = 0;      // NaN if there are no others
  std::vector<int64_t> histogram;  // equal parts of least … most
};

// All numbers of a state in the order of its shape.
std::vector<double> numbers_of(const abi::StateDesc& desc, const Buffer& slab);

// `parts` of the histogram; all numbers are in the first where they are equal.
Summary summarize(const std::vector<double>& numbers, size_t parts);

}  // namespace nnc::runtime
