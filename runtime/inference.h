// Passes over rows that change no weights: evaluation and prediction.
#pragma once

#include <functional>

#include "runtime/binding.h"
#include "runtime/metrics.h"

namespace nnc::runtime {

// An evaluate entry and a split, ready to be run after every epoch.
class Evaluator {
 public:
  // `prelude` (may be null) is run before each pass.
  Evaluator(const abi::Program& program, const abi::EntryDesc& entry, const abi::EntryDesc* prelude,
            const Split& split, void* state, const ScalarOptions& scalars);

  // One pass in batches of entry.max_rows; losses and metrics are gathered in row order. `clock`:
  // where training stands, for ramps and "step".
  Metrics run(const Clock& clock, ThreadPool& pool);

 private:
  const Split& split_;
  Binding binding_;
  Accumulator accumulator_;
  const abi::EntryDesc* prelude_;
  void* state_;
};

// One pass of an evaluate entry over a split.
Metrics evaluate(const abi::Program& program, const abi::EntryDesc& entry,
                 const abi::EntryDesc* prelude, const Split& split, Buffer& state,
                 const ScalarOptions& scalars, ThreadPool& pool);

// Runs an entry without rows (prelude) once. Does nothing for null.
void run_prelude(const abi::EntryDesc* prelude, void* state, ThreadPool& pool);

// One output for all rows: [rows, shape…].
struct Prediction {
  std::string name;
  abi::DType dtype = abi::DType::f32;
  std::vector<int64_t> shape;  // of one row
  Buffer values;
  // Element `i` of all rows, of f32 or f64.
  double number(size_t i) const {
    return dtype == abi::DType::f64 ? values.as<double>()[i]
                                    : static_cast<double>(values.as<float>()[i]);
  }
};

// All per-row outputs of a predict entry for every row of the split, in order, in batches of
// entry.max_rows. Run the prelude before.
std::vector<Prediction> predict(const abi::EntryDesc& entry, const Split& split, Buffer& state,
                                ThreadPool& pool, const ScalarOptions& scalars = {});

}  // namespace nnc::runtime
