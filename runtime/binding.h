// An entry made ready to be called many times: pointers, scalars and scratch are set up once, so
// that a call needs no lookups and no allocation.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/augment.h"
#include "runtime/data/table.h"
#include "runtime/schedule.h"
#include "runtime/thread_choice.h"
#include "runtime/threads.h"

namespace nnc::runtime {

// A run-time number under its own name (a ramp, a bias correction): a function of the time.
struct NamedScalar {
  std::string name;
  std::function<double(const Clock&)> value;
};

// Everything scalars may depend on.
struct ScalarOptions {
  double rate = 0;  // base rate, times the schedule's factor
  Schedule schedule;
  uint64_t seed = 0;
  double mean_weight = 1;  // of the training rows: inverse_rows is 1 / (rows · mean_weight)
  std::vector<NamedScalar> named;
};

class Binding {
 public:
  // Binds the entry's inputs to those of `made` or else to the columns of `table` by name; outputs
  // and scratch are allocated.
  // Throws std::invalid_argument for a field that is not there or has another type or shape.
  Binding(const abi::EntryDesc& entry, const Table& table, void* state,
          const ScalarOptions& scalars, const std::vector<BatchInput>& made = {});

  // One call for these rows of the table. "step" is clock.step + 1.
  void run(ThreadPool& pool, std::span<const int32_t> rows, const Clock& clock);

  // Threads of the last call.
  int64_t threads() const { return context_.threads; }
  const abi::EntryDesc& entry() const { return *entry_; }
  void* const* outputs() const { return outputs_.data(); }
  const std::vector<double>& scalars() const { return scalars_; }

 private:
  enum class Scalar : uint8_t { rate, inverse_rows, rows, first_row, step, seed, named };
  void bind_inputs(const Table& table, const std::vector<BatchInput>& made);
  void bind_scalars();
  void make_room(int threads);

  const abi::EntryDesc* entry_;
  ScalarOptions options_;
  std::vector<const void*> inputs_;
  std::vector<const int32_t*> indices_;
  std::vector<const int32_t*> made_indices_;  // null: the rows of the table
  std::vector<void*> outputs_;
  std::vector<Buffer> output_memory_;
  Buffer arena_;
  std::vector<Scalar> scalar_kinds_;
  std::vector<size_t> scalar_named_;  // for Scalar::named: into options_.named
  std::vector<double> scalars_;
  abi::Context context_;
  ThreadChoice choice_;
};

}  // namespace nnc::runtime
