// The contract between compiled programs and the runtime: plain structs, no behaviour.
// The compiler fills the descriptions and produces native entry points; the runtime calls them.
// This is the only runtime header that the compiler may include.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nnc::abi {

enum class DType : uint8_t { f32, f64, bf16, i32, i64, u8, boolean };

inline size_t size_of(DType t) {
  switch (t) {
    case DType::f64:
    case DType::i64: return 8;
    case DType::f32:
    case DType::i32: return 4;
    case DType::bf16: return 2;
    case DType::u8:
    case DType::boolean: return 1;
  }
  return 0;
}

// What native code sees: one per call of an entry. All threads share it. Pointers are 64-byte
// aligned unless they point at user data (inputs). The layout is known to the code generators:
// every member is 8 bytes wide and they index it by position (see ContextField).
struct Context {
  const void* const* inputs = nullptr;      // by InputDesc order: base of the stored rows
  const int32_t* const* indices = nullptr;  // by InputDesc order: row r is stored row indices[i][r]
  void* const* outputs = nullptr;           // by OutputDesc order
  void* state = nullptr;                    // the state slab, StateDesc::offset into it
  void* arena = nullptr;                    // scratch, EntryDesc::arena_bytes
  const double* scalars = nullptr;          // by EntryDesc::scalars order
  int64_t rows = 0;                         // rows of this batch, 1 … EntryDesc::max_rows
  int64_t threads = 1;
  void (*barrier)(void* barrier_state, int64_t thread) = nullptr;
  void* barrier_state = nullptr;
};

enum class ContextField : int {
  inputs,
  indices,
  outputs,
  state,
  arena,
  scalars,
  rows,
  threads,
  barrier,
  barrier_state
};

// Called once per thread (0 … threads-1) at the same time.
using EntryFn = void (*)(const Context* context, int64_t thread);

// A field of the data set, per row: shape leaves the batch axis out. Stored in `dtype`.
struct InputDesc {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> row_shape;
};

// per_row: [rows, shape…]; otherwise just [shape…]. Row-major.
struct OutputDesc {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  bool per_row = true;
};

// How a state value starts. Random values come from Philox(seed, stream, 0, 0, logical element).
struct Initial {
  enum class Kind : uint8_t {
    constant,
    uniform,
    normal,
    truncated_normal,
    orthogonal,
    values,
    fitted
  };
  Kind kind = Kind::constant;
  // constant: value; uniform: low; normal: mean; orthogonal: what the orthonormal rows or columns
  // of the matrix [all axes but the last, last axis] are multiplied by
  double a = 0;
  double b = 0;                // uniform: high; normal: standard deviation
  std::vector<double> values;  // `values`: row-major
  // `fitted`: computed by the runtime from the training split before training starts:
  // prepare step `fit_step` of field `fit_field`, statistic `fit_statistic` (mean, stddev, min,
  // max)
  std::string fit_field;
  int fit_step = 0;
  std::string fit_statistic;
  // Scaled before training starts, so that what it makes of some rows has variance 1 (the entry
  // "unit_variance").
  bool unit_variance = false;
};

// statistic: kept from step to step without a derivative (running means); prepared: learned from
// the data before training; derived: computed of others by the entry `prelude`, and not stored.
enum class StateKind : uint8_t { parameter, optimizer, statistic, prepared, derived };

struct StateDesc {
  std::string name;  // "fc1.kernel", "fc1.kernel:adam.m", "image:standardize.mean"
  StateKind kind = StateKind::parameter;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  size_t offset = 0;  // bytes into the state slab
  // A matrix [k, n] may lie in panels of so many columns, as [n / panel, k, panel]; 0: row-major.
  int64_t panel = 0;
  uint64_t stream = 0;  // random stream, a hash of the name
  Initial initial;
  size_t elements() const {
    size_t n = 1;
    for (int64_t d : shape) n *= static_cast<size_t>(d);
    return n;
  }
  // Row-major in memory.
  std::vector<int64_t> stored_shape() const {
    if (panel == 0) return shape;
    return {shape[1] / panel, shape[0], panel};
  }
};

// How the runtime turns per-row statistics of an evaluation into one number (or table).
// Each metric owns one per-row f32/f64 output named "metric.NAME" of shape [k].
enum class Finalize : uint8_t {
  mean,       // k=1: Σ w·x / Σ w
  root_mean,  // k=1: sqrt of the mean (rmse)
  r2,  // k=2·classes: predictions, targets; mean over these of 1 - Σ(t-p)² / Σ(t-mean t)²
  confusion,          // k=2: target index, predicted index -> classes x classes counts
  precision,          // k=2, as confusion: TP / (TP + FP) of a class
  recall,             // k=2: TP / (TP + FN)
  f1,                 // k=2: 2 TP / (2 TP + FP + FN)
  balanced_accuracy,  // k=2: mean recall of the classes that are targets
  mcc,                // k=2: the correlation of target and predicted class
  auc,  // k=classes+1: a score for each class, then the target index (classes=1: one score,
        // then 1 or 0) -> the area under the ROC curve
  roc,  // the same -> the curve
  average_precision,  // the same -> the area under the curve of precision over recall, by steps
};

// How the values of several classes become one.
enum class Average : uint8_t {
  macro,     // their mean
  weighted,  // weighted by the rows of each class
  micro,     // the ratio of the counts of all classes
};

struct MetricDesc {
  std::string name;
  Finalize finalize = Finalize::mean;
  int64_t classes = 0;
  int64_t chosen = -1;  // precision … roc: this class against all others; -1: all classes
  bool more_is_better = false;
  Average average = Average::macro;  // precision, recall, f1 of all classes
};

// Scalars an entry may ask for, by name: "rate" (learning rate now), "inverse_rows" (1/Σ weights),
// "rows" (of this batch), "first_row" (of this batch, in an evaluation: rows before it), "step"
// (global step from 1), "seed", "bias_correction:BETA" = 1 / (1 - BETA^step) in f64 (Adam; BETA is
// a decimal number, as in bias_correction:0.999), "ramp:FROM:TO:LENGTH:epochs" (or steps).
struct EntryDesc {
  std::string name;  // as in its EntrySpec
  std::vector<InputDesc> inputs;
  std::vector<OutputDesc> outputs;
  std::vector<std::string> scalars;
  size_t arena_bytes = 0;   // shared by all threads, and behind it
  size_t thread_bytes = 0;  // as much for each thread
  int64_t max_rows = 0;
  int64_t preferred_threads = 0;  // 0: as many as there are; 1: too small to share
  bool flush_to_zero = false;
  EntryFn function = nullptr;
};

// What an entry does. step: changes parameters and optimizer state; evaluate: losses and metrics;
// predict, function: outputs of rows; prelude: what those compute of states alone, without rows;
// unit_variance: see Initial::unit_variance.
enum class EntryKind : uint8_t { step, evaluate, predict, function, prelude, unit_variance };

struct EntrySpec {
  std::string name;  // step or step_PHASE, evaluate, predict, the function's name …
  EntryKind kind = EntryKind::step;
  int64_t calls = 1;  // of a step: how often it is taken for each batch
};

struct Program {
  std::string name;
  std::vector<EntrySpec> entries;  // steps first, in the order in which they are taken
  std::vector<StateDesc> states;
  size_t state_bytes = 0;
  std::vector<std::string> loss_terms;  // per-row outputs "loss.TERM" of step and evaluate
  bool sums_rows = false;               // the loss of rows is their sum, not their mean
  bool has_total = true;                // false: the terms do not add up to anything
  std::vector<MetricDesc> metrics;
  int64_t parameters = 0;
};

inline bool trains(const Program& program) {
  return !program.entries.empty() && program.entries[0].kind == EntryKind::step;
}

// The entry that a model is there for: its first step, or prediction where nothing is trained.
inline std::string main_entry(const Program& program) {
  return trains(program) ? program.entries[0].name : "predict";
}

}  // namespace nnc::abi
