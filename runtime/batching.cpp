#include "runtime/batching.h"

#include "runtime/rng.h"

namespace nnc::runtime {

Batches::Batches(const Split& split, int64_t batch, uint64_t seed, bool shuffle)
    : split_(split.rows), batch_(batch), seed_(seed), shuffle_(shuffle), order_(split.rows) {
  if (batch_ <= 0 || batch_ > rows()) batch_ = std::max<int64_t>(rows(), 1);
}

void Batches::start_epoch(int64_t epoch) {
  if (!shuffle_) return;
  // Always from the split's own order, so that any epoch can be repeated alone.
  std::copy(split_.begin(), split_.end(), order_.begin());
  shuffle(order_, {seed_, stream_of("shuffle"), static_cast<uint32_t>(epoch), 0});
}

}  // namespace nnc::runtime
