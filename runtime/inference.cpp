#include "runtime/inference.h"

#include <algorithm>
#include <cstring>

#include "runtime/shape.h"

namespace nnc::runtime {
namespace {

// Calls `batch(rows)` for consecutive pieces of at most `most` rows.
template <class Batch>
void for_batches(const std::vector<int32_t>& rows, int64_t most, Batch batch) {
  const auto step = static_cast<size_t>(std::max<int64_t>(most, 1));
  for (size_t first = 0; first < rows.size(); first += step) {
    batch(std::span(rows).subspan(first, std::min(step, rows.size() - first)));
  }
}

}  // namespace

void run_prelude(const abi::EntryDesc* prelude, void* state, ThreadPool& pool) {
  if (prelude == nullptr) return;
  Binding(*prelude, Table{}, state, {}).run(pool, {}, {});
}

Evaluator::Evaluator(const abi::Program& program, const abi::EntryDesc& entry,
                     const abi::EntryDesc* prelude, const Split& split, void* state,
                     const ScalarOptions& scalars)
    : split_(split),
      binding_(entry, *split.table, state, scalars),
      accumulator_(program, entry),
      prelude_(prelude),
      state_(state) {}

Metrics Evaluator::run(const Clock& clock, ThreadPool& pool) {
  run_prelude(prelude_, state_, pool);
  accumulator_.reset();
  Clock now = clock;
  now.first_row = 0;
  for_batches(split_.rows, binding_.entry().max_rows, [&](std::span<const int32_t> rows) {
    binding_.run(pool, rows, now);
    now.first_row += static_cast<int64_t>(rows.size());
    accumulator_.add(binding_.outputs(), static_cast<int64_t>(rows.size()));
  });
  return accumulator_.finish();
}

Metrics evaluate(const abi::Program& program, const abi::EntryDesc& entry,
                 const abi::EntryDesc* prelude, const Split& split, Buffer& state,
                 const ScalarOptions& scalars, ThreadPool& pool) {
  return Evaluator(program, entry, prelude, split, state.data(), scalars).run({}, pool);
}

std::vector<Prediction> predict(const abi::EntryDesc& entry, const Split& split, Buffer& state,
                                ThreadPool& pool, const ScalarOptions& scalars) {
  std::vector<Prediction> result;
  std::vector<size_t> row_bytes;
  for (const abi::OutputDesc& output : entry.outputs) {
    const size_t bytes =
        output.per_row ? static_cast<size_t>(elements_of(output.shape)) * abi::size_of(output.dtype)
                       : 0;
    row_bytes.push_back(bytes);
    if (!output.per_row) continue;
    result.push_back({output.name, output.dtype, output.shape, Buffer(bytes * split.rows.size())});
  }
  Binding binding(entry, *split.table, state.data(), scalars);
  size_t done = 0;
  for_batches(split.rows, entry.max_rows, [&](std::span<const int32_t> rows) {
    binding.run(pool, rows, {});
    size_t next = 0;
    for (size_t i = 0; i < entry.outputs.size(); ++i) {
      if (!entry.outputs[i].per_row) continue;
      std::memcpy(result[next++].values.as<char>() + done * row_bytes[i], binding.outputs()[i],
                  rows.size() * row_bytes[i]);
    }
    done += rows.size();
  });
  return result;
}

}  // namespace nnc::runtime
