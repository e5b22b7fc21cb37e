// Entries for evaluation that come only when they are needed.
#include <cstring>

#include "regression.h"
#include "runtime/state.h"
#include "runtime/trainer.h"
#include "support.h"

using namespace nnc;
using namespace nnc::runtime;
using namespace nnc::runtime::test;

namespace {

TrainOptions options_for() {
  TrainOptions options;
  options.epochs = 3;
  options.batch = 8;
  options.seed = 11;
  options.scalars.rate = 0.05;
  return options;
}

// Counts steps and epochs.
class Counter : public Observer {
 public:
  void on_epoch(const EpochReport& report) override { valid.push_back(report.valid.loss); }
  bool should_stop() override {
    ++steps;
    return false;
  }
  int64_t steps = 0;
  std::vector<double> valid;  // loss after each epoch
};

Buffer run(const Regression& regression, const TrainEntries& entries, Counter& counter) {
  const TrainOptions options = options_for();
  Buffer state = initial_state(regression.program, options.seed);
  ThreadPool pool(2);
  train(regression.program, entries, regression.data, state, options, pool, counter);
  return state;
}

}  // namespace

TEST_CASE("an evaluate entry that comes late gives the same training") {
  const Regression regression = make_regression();
  Counter at_once, late;
  const Buffer expected = run(regression, regression.entries(), at_once);
  int asked = 0;
  int64_t steps_before = 0;
  TrainEntries entries{.steps = {{&regression.step}}};
  entries.complete = [&](TrainEntries& all) {
    ++asked;
    steps_before = late.steps;
    all.evaluate = &regression.evaluate;
  };
  const Buffer state = run(regression, entries, late);
  CHECK(asked == 1);
  CHECK(steps_before == at_once.steps / 3);  // a whole epoch
  CHECK(late.steps == at_once.steps);
  CHECK(late.valid == at_once.valid);
  REQUIRE(late.valid.size() == 3);
  CHECK(late.valid.back() > 0);
  CHECK(std::memcmp(state.data(), expected.data(), expected.size()) == 0);
}

TEST_CASE("without valid rows nobody asks for the evaluate entry") {
  Regression regression = make_regression();
  regression.data.valid.rows.clear();
  TrainEntries entries{.steps = {{&regression.step}}};
  entries.complete = [](TrainEntries&) { FAIL("asked for"); };
  Counter counter;
  run(regression, entries, counter);
  CHECK(counter.valid.size() == 3);
}

TEST_CASE("an entry that cannot be made ends training with its error") {
  const Regression regression = make_regression();
  TrainEntries entries{.steps = {{&regression.step}}};
  entries.complete = [](TrainEntries&) { throw std::runtime_error("no code"); };
  Counter counter;
  CHECK_THROWS_WITH(run(regression, entries, counter), "no code");
  CHECK(counter.valid.empty());
}
