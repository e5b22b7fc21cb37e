#include "runtime/schedule.h"

#include <algorithm>
#include <cmath>

namespace nnc::runtime {
namespace {

constexpr double pi = 3.141592653589793;

// From `a` at 0 to `b` at 1, along half a cosine.
double cosine_between(double a, double b, double share) {
  return b + (a - b) * 0.5 * (1 + std::cos(pi * std::clamp(share, 0.0, 1.0)));
}

// t: steps since the warm-up, total: all steps after it.
double cosine(const Schedule& schedule, double t, double total, int64_t steps_per_epoch) {
  double length = schedule.period.steps(steps_per_epoch);
  if (length <= 0) return cosine_between(1, schedule.floor, t / std::max(total, 1.0));
  while (t >= length) {  // restarts
    t -= length;
    length *= std::max(schedule.stretch, 1.0);
  }
  return cosine_between(1, schedule.floor, t / length);
}

double polynomial(const Schedule& schedule, double t, double total, int64_t steps_per_epoch) {
  double length = schedule.time.steps(steps_per_epoch);
  if (length <= 0) length = std::max(total, 1.0);
  const double left = std::max(1 - t / length, 0.0);
  return schedule.floor + (1 - schedule.floor) * std::pow(left, schedule.power);
}

double one_cycle(const Schedule& schedule, double t, double total) {
  const double rise = std::max(schedule.rise * total, 1.0);
  if (t < rise) return cosine_between(schedule.start, 1, t / rise);
  return cosine_between(1, schedule.floor, (t - rise) / std::max(total - rise, 1.0));
}

}  // namespace

double factor_at(const Schedule& schedule, const Clock& clock) {
  const double warmup = schedule.warmup.steps(clock.steps_per_epoch);
  const double step = static_cast<double>(clock.step);
  if (step < warmup) return (step + 1) / warmup > 1 ? 1 : (step + 1) / warmup;
  const double t = step - warmup;
  const double total = static_cast<double>(clock.total_steps) - warmup;
  const double every = std::max(schedule.every.steps(clock.steps_per_epoch), 1.0);
  switch (schedule.kind) {
    case Schedule::Kind::constant: return 1;
    case Schedule::Kind::step: return std::pow(schedule.factor, std::floor(t / every));
    case Schedule::Kind::exponential: return std::pow(schedule.factor, t / every);
    case Schedule::Kind::cosine: return cosine(schedule, t, total, clock.steps_per_epoch);
    case Schedule::Kind::polynomial: return polynomial(schedule, t, total, clock.steps_per_epoch);
    case Schedule::Kind::one_cycle: return one_cycle(schedule, t, total);
  }
  return 1;
}

double value_at(const Ramp& ramp, const Clock& clock) {
  const double length = ramp.length.steps(clock.steps_per_epoch);
  const double step = static_cast<double>(clock.step);
  if (length <= 0 || step >= length) return ramp.to;
  return ramp.from + (ramp.to - ramp.from) * (step / length);
}

}  // namespace nnc::runtime
