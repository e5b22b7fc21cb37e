#include "runtime/trainer.h"
#include "runtime/best_tracker.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "regression.h"
#include "runtime/inference.h"
#include "runtime/run_folder.h"
#include "runtime/safetensors.h"
#include "runtime/state.h"
#include "support.h"

using namespace nnc;
using namespace nnc::runtime;
using namespace nnc::runtime::test;

namespace {

TrainOptions options_for(const std::string& folder = "") {
  TrainOptions options;
  options.epochs = 6;
  options.batch = 8;
  options.seed = 11;
  options.scalars.rate = 0.05;
  options.scalars.schedule.kind = Schedule::Kind::cosine;
  options.run_folder = folder;
  options.checkpoint_seconds = 1000;  // only at the end: each file is synced
  return options;
}

// Stops after a number of steps (each asks once), and counts what it hears.
class Counter : public Observer {
 public:
  explicit Counter(int64_t stop_after = -1) : stop_after_(stop_after) {}
  void on_epoch(const EpochReport& report) override { epochs.push_back(report); }
  bool should_stop() override { return ++steps_ == stop_after_; }
  std::vector<EpochReport> epochs;

 private:
  int64_t stop_after_;
  int64_t steps_ = 0;
};

struct Run {
  Buffer state;
  TrainResult result;
  std::vector<EpochReport> epochs;
};

Run run(const Regression& regression, const TrainOptions& options, int threads = 1,
        int64_t stop_after = -1) {
  Run run;
  run.state = initial_state(regression.program, options.seed);
  ThreadPool pool(threads);
  Counter counter(stop_after);
  run.result = train(regression.program, regression.entries(), regression.data, run.state, options,
                     pool, counter);
  run.epochs = std::move(counter.epochs);
  return run;
}

bool same_bits(const Buffer& a, const Buffer& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

// metrics.jsonl without the times.
std::string metrics_of(const TemporaryFolder& folder) {
  std::string text = read_bytes(folder / "metrics.jsonl");
  for (size_t at = 0; (at = text.find(",\"seconds\":", at)) != std::string::npos;) {
    text.erase(at, text.find('\n', at) - at);
  }
  return text;
}

}  // namespace

TEST_CASE("training learns the line") {
  const Regression regression = make_regression();
  TrainOptions options = options_for();
  options.epochs = 100;
  const Run trained = run(regression, options);
  CHECK(trained.result.end == TrainResult::End::finished);
  CHECK(trained.result.epochs == 100);
  CHECK(trained.result.steps == 100 * 11);  // 82 rows in batches of 8
  CHECK(trained.epochs.back().valid.value("r2") > 0.999);
  CHECK(trained.epochs.back().valid.rows == 21);
  CHECK(trained.epochs.back().train.rows == 82);
  const auto* weights = trained.state.as<float>();
  const float truth[] = {1, -2, 3, 0.5f};
  for (int i = 0; i < 4; ++i) CHECK(weights[i] == doctest::Approx(truth[i]).epsilon(0.05));
}

TEST_CASE("the bits do not depend on the number of threads") {
  const Regression regression = make_regression();
  const Run one = run(regression, options_for(), 1);
  for (int threads : {2, 3}) {
    const Run many = run(regression, options_for(), threads);
    CHECK(same_bits(one.state, many.state));
    for (size_t i = 0; i < one.epochs.size(); ++i) {
      CHECK(one.epochs[i].train.loss == many.epochs[i].train.loss);
      CHECK(one.epochs[i].valid.loss == many.epochs[i].valid.loss);
    }
  }
  TrainOptions other = options_for();
  other.seed = 12;
  CHECK_FALSE(same_bits(one.state, run(regression, other).state));
}

TEST_CASE("an interruption after any step, resumed, ends with the same files") {
  const Regression regression = make_regression();
  TemporaryFolder whole;
  const Run uninterrupted = run(regression, options_for(whole.path()));
  const std::string weights = read_bytes(weights_path(whole.path()));
  for (int64_t stop_after = 1; stop_after < 6 * 11; stop_after += 5) {
    CAPTURE(stop_after);
    TemporaryFolder folder;
    TrainOptions options = options_for(folder.path());
    const Run stopped = run(regression, options, 1, stop_after);
    CHECK(stopped.result.end == TrainResult::End::stopped);
    CHECK(stopped.result.steps == stop_after);
    options.resume = true;
    const Run resumed = run(regression, options, 2);
    CHECK(resumed.result.end == TrainResult::End::finished);
    CHECK(same_bits(resumed.state, uninterrupted.state));
    CHECK(read_bytes(weights_path(folder.path())) == weights);
    CHECK(metrics_of(folder) == metrics_of(whole));
  }
}

TEST_CASE("a run that died without a word goes on from its last checkpoint") {
  const Regression regression = make_regression();
  TemporaryFolder whole, folder;
  run(regression, options_for(whole.path()));
  TrainOptions options = options_for(folder.path());
  options.checkpoint_seconds = 0;  // after every epoch
  run(regression, options, 1, 2 * 11 + 4);
  // What a kill would leave: a line of an epoch after the checkpoint, half of another.
  std::ofstream(folder / "metrics.jsonl", std::ios::app) << "{\"epoch\":3}\n{\"epo";
  options.resume = true;
  run(regression, options);
  CHECK(metrics_of(folder) == metrics_of(whole));
  CHECK(read_bytes(weights_path(folder.path())) == read_bytes(weights_path(whole.path())));
}

TEST_CASE("resuming with another seed or batch is refused") {
  const Regression regression = make_regression();
  TemporaryFolder folder;
  TrainOptions options = options_for(folder.path());
  run(regression, options);
  options.resume = true;
  options.seed = 12;
  CHECK(data_error(folder, [&] { run(regression, options); }) ==
        "checkpoint/last.safetensors: the run was started with another seed\n"
        "  expected  11\n  got       12");
  options.seed = 11;
  options.batch = 4;
  CHECK(data_error(folder, [&] { run(regression, options); }).find("another batch size") !=
        std::string::npos);
}

TEST_CASE("more epochs continue a finished run") {
  const Regression regression = make_regression();
  TemporaryFolder folder;
  TrainOptions options = options_for(folder.path());
  options.scalars.schedule.kind = Schedule::Kind::constant;
  options.epochs = 4;
  run(regression, options);
  options.resume = true;
  options.epochs = 6;
  const Run more = run(regression, options);
  CHECK(more.epochs.size() == 2);
  TrainOptions at_once = options;
  at_once.resume = false;
  at_once.run_folder.clear();
  CHECK(same_bits(more.state, run(regression, at_once).state));
}

namespace {

void slow_step(const abi::Context* context, int64_t thread) {
  regression_step(context, thread);
  if (thread == 0) std::this_thread::sleep_for(std::chrono::milliseconds(30));
}

class Listener : public Observer {
 public:
  void on_progress(const ProgressReport& report) override { reports.push_back(report); }
  std::vector<ProgressReport> reports;
};

}  // namespace

TEST_CASE("progress is told of inside an epoch, at most ten times a second") {
  Regression regression = make_regression(55);
  regression.step.function = slow_step;
  TrainOptions options = options_for();
  options.epochs = 1;
  Buffer state = initial_state(regression.program, 1);
  ThreadPool pool(1);
  Listener listener;
  const TrainResult result = train(regression.program, regression.entries(), regression.data, state,
                                   options, pool, listener);
  REQUIRE_FALSE(listener.reports.empty());
  CHECK(static_cast<double>(listener.reports.size()) <= result.seconds * 10);
  const ProgressReport& report = listener.reports[0];
  CHECK(report.epoch == 1);
  CHECK(report.batch == report.step);
  CHECK(report.batches == 6);
  CHECK(report.total_steps == 6);
  CHECK(std::isfinite(report.loss));
}

TEST_CASE("no epochs write the initial weights") {
  const Regression regression = make_regression();
  TemporaryFolder folder;
  TrainOptions options = options_for(folder.path());
  options.epochs = 0;
  options.metadata = {{"model", "regression"}};
  const Run none = run(regression, options);
  CHECK(none.result.steps == 0);
  Buffer loaded = Buffer::zeros(regression.program.state_bytes);
  CHECK(load_weights(weights_path(folder.path()), regression.program, loaded).at("model") ==
        "regression");
  CHECK(same_bits(loaded, initial_state(regression.program, options.seed)));
}

TEST_CASE("a limit of steps ends training inside an epoch") {
  const Regression regression = make_regression();
  TrainOptions options = options_for();
  options.steps = 15;
  const Run limited = run(regression, options);
  CHECK(limited.result.steps == 15);
  REQUIRE(limited.epochs.size() == 2);
  CHECK(limited.epochs[1].partial);
  CHECK(limited.epochs[1].train.rows == 32);
  CHECK(limited.epochs[0].epochs == 2);
}

TEST_CASE("early stop waits for its patience, and the best weights are kept") {
  const Regression regression = make_regression();
  TemporaryFolder folder;
  TrainOptions options = options_for(folder.path());
  options.epochs = 50;
  options.scalars.schedule.kind = Schedule::Kind::constant;
  options.scalars.rate = 0.05;
  options.watch = "valid.loss";
  options.early_stop = EarlyStop{3, 0.01};
  const Run stopped = run(regression, options);
  CHECK(stopped.result.end == TrainResult::End::early_stop);
  CHECK(stopped.result.epochs < 50);
  double best = INFINITY;
  int64_t best_epoch = 0;
  for (const EpochReport& report : stopped.epochs) {
    CHECK(report.improved == (report.valid.loss < best));
    if (report.valid.loss >= best) continue;
    best = report.valid.loss;
    best_epoch = report.epoch;
  }
  CHECK(stopped.result.best_epoch == best_epoch);
  CHECK(stopped.result.best_value == best);
  // The state that is left, and the file, give that loss again.
  ThreadPool pool(1);
  Buffer state = stopped.state.copy();
  load_weights(weights_path(folder.path()), regression.program, state);
  CHECK(evaluate(regression.program, regression.evaluate, nullptr, regression.data.valid, state, {},
                 pool)
            .loss == best);
  CHECK(same_bits(state, stopped.state));
  // Resuming a run that stopped early does nothing.
  options.resume = true;
  CHECK(run(regression, options).epochs.empty());
}

TEST_CASE("keep: last leaves the last weights; a maximum can be watched") {
  const Regression regression = make_regression();
  TrainOptions options = options_for();
  options.watch = "valid.r2";
  const Run best = run(regression, options);
  CHECK(best.result.best_value == best.epochs[best.result.best_epoch - 1].valid.value("r2"));
  for (const EpochReport& report : best.epochs) {
    CHECK(report.valid.value("r2") <= best.result.best_value);
  }
  options.watch = "valid.acuracy";
  CHECK_THROWS_WITH(run(regression, options),
                    "training watches 'valid.acuracy', which is not computed");
}

namespace {

// The regression, but one row of the data gives infinity at the first step of the third epoch.
void exploding_step(const abi::Context* context, int64_t thread) {
  regression_step(context, thread);
  context->barrier(context->barrier_state, thread);
  auto* loss = static_cast<float*>(context->outputs[0]);
  if (thread == 0 && context->scalars[2] == 2 * 11 + 5) {
    loss[3] = INFINITY;
    static_cast<RegressionState*>(context->state)->weights[0] = NAN;
  }
}

}  // namespace

TEST_CASE("a loss that is not finite names its step, term and row, and can be replayed") {
  Regression regression = make_regression();
  regression.step.scalars.push_back("step");
  regression.step.function = exploding_step;
  TemporaryFolder folder;
  TrainOptions options = options_for(folder.path());
  options.keep = Keep::last;
  std::string message;
  NonFinite details;
  try {
    run(regression, options);
  } catch (const NonFiniteError& error) {
    message = error.what();
    details = error.details;
  }
  CHECK(details.step == 27);
  CHECK(details.epoch == 3);
  CHECK(details.term == "mse");
  CHECK(details.row == 3);
  CHECK(details.batch_rows.size() == 8);
  CHECK(details.table_row == details.batch_rows[3]);
  CHECK(details.scalars[2] == 27);
  CHECK(message ==
        "step 27 (epoch 3): the loss 'mse' is not a finite number, first for inline "
        "data: row " +
            std::to_string(details.table_row) + " (counted from 0)");
  // The files are those of the last finished epoch.
  Buffer state = initial_state(regression.program, options.seed);
  const Progress progress =
      load_checkpoint(checkpoint_path(folder.path()), regression.program, state);
  CHECK(progress.epoch == 2);
  CHECK(std::isfinite(state.as<float>()[0]));
  // Replayed from that checkpoint, and from the start, the state before the step is the same.
  ThreadPool pool(2);
  options.resume = true;
  Buffer replayed = initial_state(regression.program, options.seed);
  const std::string metrics = read_bytes(folder / "metrics.jsonl");
  replay_before(details.step, regression.program, regression.entries(), regression.data, replayed,
                options, pool);
  CHECK(read_bytes(folder / "metrics.jsonl") == metrics);
  TrainOptions from_start = options_for();
  from_start.keep = Keep::last;
  Regression sound = make_regression();
  Buffer again = initial_state(sound.program, options.seed);
  replay_before(details.step, sound.program, sound.entries(), sound.data, again, from_start, pool);
  CHECK(same_bits(replayed, again));
  CHECK(std::isfinite(replayed.as<float>()[0]));
}

TEST_CASE("a disk that fails ends training and leaves the old checkpoint") {
  const Regression regression = make_regression();
  TemporaryFolder folder;
  TrainOptions options = options_for(folder.path());
  options.epochs = 2;
  run(regression, options);
  const std::string before = read_bytes(checkpoint_path(folder.path()));
  // The new weights cannot take the place of the old ones: a folder stands there.
  std::filesystem::remove(weights_path(folder.path()));
  std::filesystem::create_directories(weights_path(folder.path()) + "/in-the-way");
  options.resume = true;
  options.epochs = 4;
  options.keep = Keep::last;
  CHECK_FALSE(data_error(folder, [&] { run(regression, options); }).empty());
  CHECK(read_bytes(checkpoint_path(folder.path())) == before);
}

TEST_CASE("prediction gives every row once, in order") {
  const Regression regression = make_regression();
  Buffer state = initial_state(regression.program, 3);
  ThreadPool pool(2);
  const auto predictions = predict(regression.predict, regression.data.train, state, pool);
  REQUIRE(predictions.size() == 1);
  CHECK(predictions[0].name == "y");
  const auto* weights = state.as<float>();
  const auto* x = regression.data.train.table->find("x")->bytes.as<float>();
  for (size_t r = 0; r < regression.data.train.rows.size(); ++r) {
    const float* row = x + regression.data.train.rows[r] * features;
    float y = weights[features];
    for (int64_t i = 0; i < features; ++i) y += weights[i] * row[i];
    CHECK(predictions[0].values.as<float>()[r] == y);
  }
}

TEST_CASE("an entry that asks for what is not there is a mistake of the caller") {
  Regression regression = make_regression();
  regression.step.scalars.push_back("beta");
  CHECK_THROWS_WITH(run(regression, options_for()),
                    "'step' asks for the number 'beta', which nobody gives");
  TrainOptions options = options_for();
  options.scalars.named = {{"beta", [](const Clock& clock) { return 1.0 * clock.step; }}};
  CHECK_NOTHROW(run(regression, options));
  regression.step.inputs[0].name = "z";
  CHECK_THROWS_WITH(run(regression, options),
                    "'step' needs the field 'z', which the data does not have");
  regression.step.inputs[0] = {"x", abi::DType::u8, {features}};
  CHECK_THROWS_WITH(run(regression, options),
                    "'step' was compiled for another type or shape of the field 'x'");
}

TEST_CASE("only epochs after a first value count as epochs without improvement") {
  const abi::Program program;
  TrainOptions options;
  options.watch = "valid.loss";
  options.early_stop = EarlyStop{2, 0};
  const BestTracker tracker(program, options, true);
  Progress progress;
  int64_t epoch = 0;
  const auto improves = [&](double loss) {
    Metrics valid;
    valid.rows = 1;
    valid.loss = loss;
    return tracker.look({}, valid, ++epoch, progress);
  };
  for (int i = 0; i < 5; ++i) CHECK_FALSE(improves(std::nan("")));
  CHECK_FALSE(tracker.should_stop(progress));
  CHECK(improves(1));
  CHECK_FALSE(improves(std::nan("")));
  CHECK_FALSE(tracker.should_stop(progress));
  CHECK_FALSE(improves(2));
  CHECK(tracker.should_stop(progress));
  CHECK(progress.best_epoch == 6);
}
