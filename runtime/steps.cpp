#include "runtime/steps.h"

#include <algorithm>
#include <cmath>

namespace nnc::runtime {

namespace {

ScalarOptions with_seed(ScalarOptions scalars, uint64_t seed) {
  scalars.seed = seed;
  return scalars;
}

}  // namespace

std::vector<const abi::EntryDesc*> entries_of(const std::vector<StepCall>& calls) {
  std::vector<const abi::EntryDesc*> entries;
  for (const StepCall& call : calls) entries.push_back(call.entry);
  return entries;
}

Clock clock_of_call(const Clock& batches, int64_t calls, int64_t call) {
  Clock clock = batches;
  clock.step = batches.step * calls + call;
  clock.steps_per_epoch = batches.steps_per_epoch * calls;
  clock.total_steps = batches.total_steps * calls;
  return clock;
}

StepSums::StepSums(const abi::Program& program, const std::vector<const abi::EntryDesc*>& entries)
    : terms_(program.loss_terms), has_total_(entries.size() == 1 && program.has_total) {
  for (const abi::EntryDesc* entry : entries) parts_.emplace_back(program, *entry);
}

void StepSums::reset() {
  for (Accumulator& part : parts_) part.reset();
}

int64_t StepSums::add(size_t index, void* const* outputs, int64_t rows) {
  const int64_t bad = parts_[index].add(outputs, rows);
  if (bad >= 0) bad_term_ = parts_[index].bad_term();
  return bad;
}

double StepSums::mean_loss() const {
  return has_total_ ? parts_.front().mean_loss() : std::nan("");
}

// The terms of all entries in the order of the file; there is no loss that they add up to.
Metrics StepSums::finish() const {
  Metrics result = parts_.front().finish();
  if (has_total_) return result;
  result.loss = std::nan("");
  result.terms.clear();
  std::vector<std::pair<std::string, double>> found;
  for (const Accumulator& part : parts_)
    for (const auto& term : part.terms()) found.push_back(term);
  for (const std::string& name : terms_)
    for (const auto& term : found)
      if (term.first == name) result.terms.push_back(term);
  return result;
}

std::vector<double> StepSums::sums() const {
  if (parts_.size() == 1) return parts_.front().sums();
  std::vector<double> all;
  for (const Accumulator& part : parts_) {
    const std::vector<double> sums = part.sums();
    all.push_back(static_cast<double>(sums.size()));
    all.insert(all.end(), sums.begin(), sums.end());
  }
  return all;
}

bool StepSums::restore(const std::vector<double>& sums) {
  if (parts_.size() == 1) return parts_.front().restore(sums);
  size_t at = 0;
  for (Accumulator& part : parts_) {
    const double left = static_cast<double>(sums.size() - std::min(sums.size(), at + 1));
    if (at >= sums.size() || !(sums[at] >= 0 && sums[at] <= left)) return false;
    const auto begin = sums.begin() + static_cast<std::ptrdiff_t>(at) + 1;
    const auto count = static_cast<std::ptrdiff_t>(sums[at]);
    if (!part.restore({begin, begin + count})) return false;
    at += static_cast<size_t>(count) + 1;
  }
  return at == sums.size();
}

Steps::Part::Part(const StepCall& call, const Split& split, const AugmentOptions& augment,
                  int64_t most_rows, uint64_t seed, void* state)
    : calls(call.calls),
      augmenter(augment, *call.entry, split, most_rows, seed),
      binding(*call.entry, *split.table, state, with_seed(call.scalars.value(), seed),
              augmenter.inputs()) {}

Steps::Steps(const abi::Program& program, const std::vector<StepCall>& calls, const Split& split,
             const AugmentOptions& augment, int64_t most_rows, uint64_t seed, void* state)
    : sums_(program, entries_of(calls)) {
  for (const StepCall& call : calls) {
    parts_.push_back(std::make_unique<Part>(call, split, augment, most_rows, seed, state));
  }
}

int64_t Steps::run(ThreadPool& pool, std::span<const int32_t> rows, const Clock& clock,
                   int64_t epoch) {
  for (last_ = 0; last_ < parts_.size(); ++last_) {
    Part& part = *parts_[last_];
    part.augmenter.run(pool, rows, epoch);
    for (int64_t call = 0; call < part.calls; ++call)
      part.binding.run(pool, rows, clock_of_call(clock, part.calls, call));
    const int64_t bad = sums_.add(last_, part.binding.outputs(), static_cast<int64_t>(rows.size()));
    if (bad >= 0) return bad;
  }
  last_ = parts_.size() - 1;
  return -1;
}

}  // namespace nnc::runtime
