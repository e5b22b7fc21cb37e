#include "runtime/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>

using namespace nnc;
using namespace nnc::runtime;

namespace {

abi::OutputDesc output(const char* name, std::vector<int64_t> shape = {}, bool per_row = true,
                       abi::DType dtype = abi::DType::f32) {
  return {name, dtype, std::move(shape), per_row};
}

}  // namespace

TEST_CASE("losses are means over rows, whatever the batches") {
  abi::Program program;
  program.loss_terms = {"a", "penalty"};
  abi::EntryDesc entry;
  entry.max_rows = 3;
  entry.outputs = {output("loss.a"), output("loss.penalty", {}, false)};
  Accumulator accumulator(program, entry);
  float a[3] = {1, 2, 3};
  float penalty = 0.5f;
  void* outputs[] = {a, &penalty};
  CHECK(accumulator.add(outputs, 3) == -1);
  a[0] = 6;
  penalty = 1;
  CHECK(accumulator.add(outputs, 1) == -1);
  const Metrics metrics = accumulator.finish();
  CHECK(metrics.rows == 4);
  CHECK(metrics.value("loss.a") == 3);
  CHECK(metrics.value("loss.penalty") == doctest::Approx((3 * 0.5 + 1) / 4));
  CHECK(metrics.loss == metrics.value("loss.a") + metrics.value("loss.penalty"));
  CHECK(std::isnan(metrics.value("none")));
}

TEST_CASE("a total that the entry writes is the loss; one term alone is the loss too") {
  abi::Program program;
  program.loss_terms = {"a"};
  abi::EntryDesc entry;
  entry.max_rows = 2;
  entry.outputs = {output("loss", {1}, true, abi::DType::f64), output("loss.a")};
  double total[2] = {10, 20};
  float a[2] = {1, 2};
  void* outputs[] = {total, a};
  Accumulator accumulator(program, entry);
  accumulator.add(outputs, 2);
  CHECK(accumulator.finish().loss == 15);
  CHECK(accumulator.finish().value("loss.a") == 1.5);

  entry.outputs = {output("loss.a")};
  void* one[] = {a};
  Accumulator alone(program, entry);
  alone.add(one, 2);
  CHECK(alone.finish().loss == 1.5);
  CHECK(alone.finish().terms.empty());
}

TEST_CASE("metrics are finished as their description says") {
  abi::Program program;
  program.metrics = {{"accuracy", abi::Finalize::mean, 0},
                     {"rmse", abi::Finalize::root_mean, 0},
                     {"r2", abi::Finalize::r2, 0},
                     {"confusion", abi::Finalize::confusion, 3}};
  abi::EntryDesc entry;
  entry.max_rows = 4;
  entry.outputs = {output("metric.accuracy"), output("metric.rmse"), output("metric.r2", {2}),
                   output("metric.confusion", {2})};
  float accuracy[] = {1, 0, 1, 1};
  float squares[] = {1, 4, 9, 2};
  float pairs[] = {1.1f, 1, 1.9f, 2, 3.2f, 3, 3.8f, 4};  // prediction, target
  float classes[] = {0, 0, 1, 2, 1, 2, 2, 2};            // target, prediction
  void* outputs[] = {accuracy, squares, pairs, classes};
  Accumulator accumulator(program, entry);
  accumulator.add(outputs, 4);
  const Metrics metrics = accumulator.finish();
  CHECK(metrics.value("accuracy") == 0.75);
  CHECK(metrics.value("rmse") == 2);
  CHECK(metrics.value("r2") == doctest::Approx(1 - 0.1 / 5).epsilon(1e-6));
  REQUIRE(metrics.tables.size() == 1);
  CHECK(metrics.tables[0].second ==
        std::vector<std::vector<int64_t>>{{1, 0, 0}, {0, 0, 2}, {0, 0, 1}});
}

// r2_score of scikit-learn 1.x, the mean of 0.38983051, -0.5 and 1/3.
TEST_CASE("R² of several numbers is their mean; numbers that do not vary take no part") {
  abi::Program program;
  program.metrics = {{.name = "r2", .finalize = abi::Finalize::r2, .classes = 3},
                     {.name = "flat", .finalize = abi::Finalize::r2, .classes = 2}};
  abi::EntryDesc entry;
  entry.max_rows = 4;
  entry.outputs = {output("metric.r2", {6}, true, abi::DType::f64),
                   output("metric.flat", {4}, true, abi::DType::f64)};
  double rows[] = {1, 2, 3, 1.5, 2, 3, 2, 1, 5, 2, 2, 5,  // predictions, then targets
                   3, 4, 4, 2,   3, 5, 5, 0, 6, 4, 1, 5};
  double flat[] = {1, 7, 1, 5, 2, 7, 2, 5, 3, 7, 3, 5, 4, 7, 4, 5};
  void* outputs[] = {rows, flat};
  Accumulator accumulator(program, entry);
  accumulator.add(outputs, 4);
  CHECK(accumulator.finish().value("r2") == doctest::Approx(0.0743879472693032));
  CHECK(accumulator.finish().value("flat") == 1);
}

TEST_CASE("averages over classes are joined as the metric says") {
  abi::Program program;
  for (const auto average : {abi::Average::macro, abi::Average::weighted, abi::Average::micro})
    program.metrics.push_back({.name = std::to_string(static_cast<int>(average)),
                               .finalize = abi::Finalize::precision,
                               .classes = 2,
                               .average = average});
  abi::EntryDesc entry;
  entry.max_rows = 4;
  for (const char* name : {"metric.0", "metric.1", "metric.2"})
    entry.outputs.push_back(output(name, {2}));
  float pairs[] = {0, 0, 0, 1, 0, 1, 1, 1};  // precisions 1 and 1/3
  void* outputs[] = {pairs, pairs, pairs};
  Accumulator accumulator(program, entry);
  accumulator.add(outputs, 4);
  const Metrics metrics = accumulator.finish();
  CHECK(metrics.value("0") == doctest::Approx(2.0 / 3));
  CHECK(metrics.value("1") == doctest::Approx((3 * 1 + 1.0 / 3) / 4));
  CHECK(metrics.value("2") == doctest::Approx(0.5));
}

TEST_CASE("weights weigh rows") {
  abi::Program program;
  program.loss_terms = {"a"};
  abi::EntryDesc entry;
  entry.max_rows = 2;
  entry.outputs = {output("loss.a"), output("weight")};
  float a[] = {1, 4};
  float weight[] = {2, 1};
  void* outputs[] = {a, weight};
  Accumulator accumulator(program, entry);
  accumulator.add(outputs, 2);
  CHECK(accumulator.finish().loss == 2);
}

TEST_CASE("the first row that is not finite is found, with its term") {
  abi::Program program;
  program.loss_terms = {"good", "bad"};
  abi::EntryDesc entry;
  entry.max_rows = 3;
  entry.outputs = {output("loss.good"), output("loss.bad")};
  float good[] = {1, 2, 3};
  float bad[] = {1, INFINITY, NAN};
  void* outputs[] = {good, bad};
  Accumulator accumulator(program, entry);
  CHECK(accumulator.add(outputs, 3) == 1);
  CHECK(accumulator.bad_term() == "bad");
}

TEST_CASE("running sums can be saved and restored") {
  abi::Program program;
  program.loss_terms = {"a"};
  abi::EntryDesc entry;
  entry.max_rows = 1;
  entry.outputs = {output("loss.a")};
  float a = 0.1f;
  void* outputs[] = {&a};
  Accumulator whole(program, entry);
  Accumulator first(program, entry);
  for (int i = 0; i < 3; ++i) whole.add(outputs, 1), first.add(outputs, 1);
  Accumulator second(program, entry);
  second.restore(first.sums());
  whole.add(outputs, 1);
  second.add(outputs, 1);
  CHECK(whole.finish().loss == second.finish().loss);
  CHECK(second.finish().rows == 4);
  CHECK_FALSE(second.restore({1}));
  CHECK_FALSE(second.restore({}));
  second.reset();
  CHECK(second.finish().empty());
}
