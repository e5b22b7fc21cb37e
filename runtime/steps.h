// The steps that training takes for each batch: one, or several phases one after the other, each
// with its own scalars and sums.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/augment.h"
#include "runtime/binding.h"
#include "runtime/metrics.h"
#include "runtime/schedule.h"

namespace nnc::runtime {

// A step entry and how it is called.
struct StepCall {
  const abi::EntryDesc* entry = nullptr;
  int64_t calls = 1;                          // for each batch
  std::optional<ScalarOptions> scalars = {};  // of a phase; default: those of training
};

// What is gathered of several entries that run over the same rows; each writes terms of its own.
class StepSums {
 public:
  StepSums(const abi::Program& program, const std::vector<const abi::EntryDesc*>& entries);

  void reset();
  // As Accumulator::add, of the outputs of entry `index`.
  int64_t add(size_t index, void* const* outputs, int64_t rows);
  const std::string& bad_term() const { return bad_term_; }
  double mean_loss() const;
  double rows() const { return parts_.front().rows(); }
  Metrics finish() const;
  // For a checkpoint. One entry: its sums; several: those of each behind their number.
  std::vector<double> sums() const;
  bool restore(const std::vector<double>& sums);

 private:
  std::vector<std::string> terms_;  // in the order of the file
  bool has_total_;
  std::vector<Accumulator> parts_;
  std::string bad_term_;
};

class Steps {
 public:
  Steps(const abi::Program& program, const std::vector<StepCall>& calls, const Split& split,
        const AugmentOptions& augment, int64_t most_rows, uint64_t seed, void* state);

  // All calls for the rows of one batch; `clock.step` counts batches. Returns -1, or the first row
  // with a loss that is not finite.
  int64_t run(ThreadPool& pool, std::span<const int32_t> rows, const Clock& clock, int64_t epoch);

  StepSums& sums() { return sums_; }
  const StepSums& sums() const { return sums_; }
  // Of the last call, or of the one that went wrong.
  const std::vector<double>& scalars() const { return parts_[last_]->binding.scalars(); }
  const std::vector<BatchInput>& made() const { return parts_[last_]->augmenter.inputs(); }
  const abi::EntryDesc& entry() const { return parts_[last_]->binding.entry(); }

 private:
  struct Part {
    Part(const StepCall& call, const Split& split, const AugmentOptions& augment, int64_t most_rows,
         uint64_t seed, void* state);
    int64_t calls;
    Augmenter augmenter;
    Binding binding;
  };
  std::vector<std::unique_ptr<Part>> parts_;
  StepSums sums_;
  size_t last_ = 0;
};

// The entries of the calls.
std::vector<const abi::EntryDesc*> entries_of(const std::vector<StepCall>& calls);

// Time as a step sees it that is taken `calls` times for each batch: its updates are its steps.
Clock clock_of_call(const Clock& batches, int64_t calls, int64_t call);

}  // namespace nnc::runtime
