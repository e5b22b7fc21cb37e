// Runs a graph as native code and hands its results back as the reference evaluator does, so that
// the two can be compared.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/ir/op.h"
#include "compiler/kernel/target.h"

namespace nnc::test {

using Tensors = std::map<std::string, ir::Tensor>;

struct RunOptions {
  kernel::Isa isa = kernel::Isa::avx2;
  kernel::Core core = kernel::Core::common;
  int threads = 1;
  int64_t rows = 0;  // 0: the graph's batch
  // Caches that schedules are chosen for; 0: the level's.
  long l1_bytes = 0, l2_bytes = 0;
  // Further thread counts to run the same code with; all results must have the same bits (else
  // std::runtime_error). Each also runs one thread after the other from barrier to barrier, first
  // and last thread first: what a missing barrier would leave to chance then goes wrong for sure.
  std::vector<int> same_bits_threads = {};
  std::vector<std::string>* schedules = nullptr;  // of all groups, if it is given
};

// Parameters by external name, as for ir::evaluate; fields ("input" parameters) are stored with
// their rows reversed and read through a row order that undoes it. Returns outputs by name and
// assigned states as "state:NAME". The bytes of all results come back in `bits` if it is given.
Tensors run_native(const ir::Graph& graph, const Tensors& params, const RunOptions& options,
                   std::string* bits = nullptr);

// What run_native lowers for.
kernel::Target target_of(const RunOptions& options);

// The vector levels that this machine can run.
std::vector<kernel::Isa> runnable_isas();

// Random operands for the parameters of a graph, drawn uniformly from [low, high]; integers are
// rounded, booleans are 0 or 1.
Tensors random_params(const ir::Graph& graph, uint64_t seed, double low, double high);

// Largest |a - b| / max(1, |b|) over all elements; NaN against NaN and equal infinities count 0.
double distance(const ir::Tensor& a, const ir::Tensor& b);

}  // namespace nnc::test
