// Random changes of training rows (shifted, turned, noisy pictures …), made of each batch before a
// step sees it. What a row becomes depends on the seed, the row and the epoch alone: neither the
// batch, nor the number of threads, nor an interruption changes a bit.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/data/table.h"
#include "runtime/threads.h"

namespace nnc::runtime {

struct AugmentStep {
  enum class Kind : uint8_t {
    shift,       // by whole pixels, up to `amount` in both directions
    flip,        // left and right, top and bottom, as the flags say, each every other time
    rotate,      // about the middle, up to `amount` degrees both ways
    zoom,        // about the middle, by a factor of 1 - amount … 1 + amount
    brightness,  // adds up to ± amount of the range to all numbers of a row
    contrast,    // distances from the row's mean times 1 - amount … 1 + amount
    noise,       // adds normal numbers with a deviation of `amount` of the range
    cutout       // a square of `amount` pixels anywhere becomes 0
  };
  Kind kind = Kind::shift;
  double amount = 0;
  bool horizontal = false, vertical = false;  // flip
  bool edge = false;  // shift, rotate, zoom: outside is the nearest pixel, otherwise 0
};

// The steps of one field, in order. Neighbouring shifts, flips, turns and zooms make one map, so
// that pixels are interpolated (bilinearly) once.
struct FieldAugment {
  std::string field;
  std::vector<AugmentStep> steps;
};

struct AugmentOptions {
  std::vector<FieldAugment> fields;
  double mixup = 0;  // > 0: each row is mixed with another; shares follow Beta(mixup, mixup)
};

// Inputs that a step reads instead of columns of the table: row i belongs to row i of the batch.
struct BatchInput {
  std::string name;
  abi::DType dtype = abi::DType::f32;
  int64_t row_elements = 1;
  const void* rows = nullptr;
  const int32_t* indices = nullptr;

  // The first `count` rows of the batch as f64, one after the other.
  std::vector<double> numbers(size_t count) const;
};

class Augmenter {
 public:
  // For batches of at most `most_rows` rows out of `split`. The step's inputs say what is wanted:
  // fields with steps; with mixup also "FIELD:mixup", the same field of the partner row, and
  // "mixup:share", the share of the row itself.
  Augmenter(const AugmentOptions& options, const abi::EntryDesc& step, const Split& split,
            int64_t most_rows, uint64_t seed);

  // What the step has to read; the pointers stay valid as long as the object.
  const std::vector<BatchInput>& inputs() const { return inputs_; }

  // Makes the inputs for these rows of the table in this epoch (from 1).
  void run(ThreadPool& pool, std::span<const int32_t> rows, int64_t epoch);

 private:
  struct Target {
    const Column* column;
    std::vector<AugmentStep> steps;
    uint64_t stream;
    bool of_partner;
    Buffer rows;
  };
  void add_field(const std::string& name, bool of_partner, int64_t most_rows);
  void make_rows(int64_t thread, int64_t threads);
  void choose_partners();

  AugmentOptions options_;
  const Split& split_;
  uint64_t seed_;
  std::vector<Target> targets_;
  std::vector<BatchInput> inputs_;
  std::vector<int32_t> order_;     // 0, 1, 2 …
  std::vector<int32_t> partners_;  // rows of the table
  Buffer shares_;                  // of the row itself, in the step's dtype
  abi::DType share_dtype_ = abi::DType::f32;
  std::span<const int32_t> batch_;
  uint32_t epoch_ = 0;
};

}  // namespace nnc::runtime
