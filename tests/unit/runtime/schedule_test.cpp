#include "runtime/schedule.h"

#include <doctest/doctest.h>

using namespace nnc::runtime;
using Kind = Schedule::Kind;

namespace {

double factor(const Schedule& schedule, int64_t step, int64_t total = 100) {
  return factor_at(schedule, {step, 10, total});
}

}  // namespace

TEST_CASE("constant and step") {
  Schedule schedule;
  CHECK(factor(schedule, 0) == 1);
  CHECK(factor(schedule, 99) == 1);
  schedule = {.kind = Kind::step, .factor = 0.5, .every = {3, false}};  // 30 steps
  CHECK(factor(schedule, 29) == 1);
  CHECK(factor(schedule, 30) == 0.5);
  CHECK(factor(schedule, 65) == 0.25);
}

TEST_CASE("exponential passes its factor at each interval") {
  Schedule schedule{.kind = Kind::exponential, .factor = 0.1, .every = {20, true}};
  CHECK(factor(schedule, 0) == 1);
  CHECK(factor(schedule, 10) == doctest::Approx(0.316227766));
  CHECK(factor(schedule, 40) == doctest::Approx(0.01));
}

TEST_CASE("warm-up rises linearly and reaches one") {
  Schedule schedule{.kind = Kind::cosine, .warmup = {1, false}};
  CHECK(factor(schedule, 0) == doctest::Approx(0.1));
  CHECK(factor(schedule, 4) == doctest::Approx(0.5));
  CHECK(factor(schedule, 9) == doctest::Approx(1));
  CHECK(factor(schedule, 10) == 1);
  CHECK(factor(schedule, 55) == doctest::Approx(0.5));
  CHECK(factor(schedule, 100) == doctest::Approx(0));
}

TEST_CASE("cosine restarts, each cycle longer") {
  Schedule schedule{.kind = Kind::cosine, .period = {1, false}, .stretch = 2, .floor = 0.1};
  CHECK(factor(schedule, 0) == 1);
  CHECK(factor(schedule, 5) == doctest::Approx(0.55));
  CHECK(factor(schedule, 10) == 1);  // the second cycle has 20 steps
  CHECK(factor(schedule, 20) == doctest::Approx(0.55));
  CHECK(factor(schedule, 30) == 1);
}

TEST_CASE("linear and polynomial decay to the floor and stay there") {
  Schedule schedule{.kind = Kind::polynomial, .floor = 0.1};
  CHECK(factor(schedule, 0) == 1);
  CHECK(factor(schedule, 50) == doctest::Approx(0.55));
  CHECK(factor(schedule, 100) == doctest::Approx(0.1));
  schedule.power = 2;
  CHECK(factor(schedule, 50) == doctest::Approx(0.1 + 0.9 * 0.25));
  schedule = {.kind = Kind::polynomial, .warmup = {10, true}, .time = {2, false}, .power = 3};
  CHECK(factor(schedule, 4) == doctest::Approx(0.5));
  CHECK(factor(schedule, 10) == 1);
  CHECK(factor(schedule, 20) == doctest::Approx(0.125));
  CHECK(factor(schedule, 30) == 0);
  CHECK(factor(schedule, 99) == 0);
}

TEST_CASE("one cycle rises and falls") {
  Schedule schedule{.kind = Kind::one_cycle, .floor = 0.001, .start = 0.04, .rise = 0.3};
  CHECK(factor(schedule, 0) == doctest::Approx(0.04));
  CHECK(factor(schedule, 15) == doctest::Approx(0.52));
  CHECK(factor(schedule, 30) == doctest::Approx(1));
  CHECK(factor(schedule, 100) == doctest::Approx(0.001));
}

TEST_CASE("ramps are linear, then constant") {
  const Ramp ramp{2, 4, {2, false}};
  CHECK(value_at(ramp, {0, 10, 100}) == 2);
  CHECK(value_at(ramp, {5, 10, 100}) == 2.5);
  CHECK(value_at(ramp, {20, 10, 100}) == 4);
  CHECK(value_at(ramp, {99, 10, 100}) == 4);
}
