#include "compiler/compile_record.h"

#include <utility>

namespace nnc {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

void TimingRecord::add(PhaseTime phase) {
  const std::lock_guard lock(mutex_);
  timings_.phases.push_back(std::move(phase));
}

void TimingRecord::set_from_cache(bool from_cache) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(cache_known_, true)) timings_.from_cache = from_cache;
}

CompileTimings TimingRecord::get() const {
  const std::lock_guard lock(mutex_);
  return timings_;
}

Laps::Laps(TimingRecord& record, std::string entry) : record_(record), entry_(std::move(entry)) {}

void Laps::lap(Stage stage, const std::string& name, std::optional<bool> changed) {
  const auto now = Clock::now();
  record_.add({stage, entry_, name, Milliseconds(now - last_).count(), changed});
  last_ = now;
}

void Laps::part(Stage stage, const std::string& name, double milliseconds) {
  last_ += std::chrono::duration_cast<Clock::duration>(Milliseconds(milliseconds));
  record_.add({stage, entry_, name, milliseconds, {}});
}

double CompileTimings::of(Stage stage) const {
  double sum = 0;
  for (const PhaseTime& phase : phases)
    if (phase.stage == stage) sum += phase.milliseconds;
  return sum;
}

double CompileTimings::total() const {
  double sum = 0;
  for (const PhaseTime& phase : phases) sum += phase.milliseconds;
  return sum;
}

}  // namespace nnc
