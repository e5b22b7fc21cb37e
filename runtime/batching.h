// The order of rows in an epoch, and its batches.
#pragma once

#include <algorithm>
#include <span>

#include "runtime/data/table.h"

namespace nnc::runtime {

// Batches of `batch` rows of a split; the last may be smaller. The order of an epoch depends on
// (seed, epoch) and the split's rows only.
class Batches {
 public:
  // batch <= 0: all rows.
  Batches(const Split& split, int64_t batch, uint64_t seed, bool shuffle);

  int64_t count() const { return (rows() + batch_ - 1) / batch_; }
  int64_t rows() const { return static_cast<int64_t>(split_.size()); }
  int64_t batch_size() const { return batch_; }

  // Puts the rows in the order of `epoch` (from 1). Without shuffling: the split's own order.
  void start_epoch(int64_t epoch);
  // Rows of batch `index`: indices into the split's table.
  std::span<const int32_t> batch(int64_t index) const {
    const int64_t first = index * batch_;
    return {order_.data() + first, static_cast<size_t>(std::min(batch_, rows() - first))};
  }

 private:
  std::span<const int32_t> split_;
  int64_t batch_;
  uint64_t seed_;
  bool shuffle_;
  std::vector<int32_t> order_;
};

}  // namespace nnc::runtime
