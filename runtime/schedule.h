// Learning rates and other numbers that change while training.
#pragma once

#include <cstdint>
#include <vector>

namespace nnc::runtime {

// "5" (epochs) or "200 steps".
struct Duration {
  double value = 0;
  bool in_steps = false;

  double steps(int64_t steps_per_epoch) const {
    return in_steps ? value : value * static_cast<double>(steps_per_epoch);
  }
};

// Where training is: everything a schedule may depend on.
struct Clock {
  int64_t step = 0;  // steps done before this one, from 0
  int64_t steps_per_epoch = 1;
  int64_t total_steps = 1;
  int64_t first_row = 0;  // rows of this pass over a split before the batch; 0 while training
};

// Factors of the base rate.
struct Schedule {
  enum class Kind : uint8_t {
    constant,
    step,         // × factor every `every`
    exponential,  // factor^(t / every), continuously
    cosine,       // Loshchilov, Hutter, "SGDR", 2017: from 1 to `floor`; with warm-up and restarts
    polynomial,   // from 1 to `floor` as (1 - t/time)^power, then constant
    one_cycle,    // Smith, Topin, 2018: up from `start` to 1 over `rise`, down to `floor`; cosines
  };
  Kind kind = Kind::constant;
  double factor = 0.1;       // step, exponential
  Duration every{1, false};  // step, exponential
  Duration warmup{};         // any kind: from 0 linearly; the first step has 1/warmup of the rate
  Duration period{};         // cosine: length of the first cycle; 0: all steps after the warm-up
  double stretch = 1;        // cosine: each cycle is so much longer than the one before
  Duration time{};           // polynomial: how long; 0: all steps after the warm-up
  double power = 1;          // polynomial
  double floor = 0;          // cosine, polynomial, one_cycle: the last factor
  double start = 0.04;       // one_cycle: the first factor
  double rise = 0.3;         // one_cycle: share of all steps that the rise takes
};

// The factor of the base rate at `clock`.
double factor_at(const Schedule& schedule, const Clock& clock);

// `ramp: {from: 0, to: 1, epochs: 10}`: linear, then constant.
struct Ramp {
  double from = 0;
  double to = 1;
  Duration length{1, false};
};
double value_at(const Ramp& ramp, const Clock& clock);

}  // namespace nnc::runtime
