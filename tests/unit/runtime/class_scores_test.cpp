// Ratios of counts, and areas and curves of ranked scores, against their definitions.
#include "runtime/class_scores.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "runtime/metrics.h"

using namespace nnc;
using namespace nnc::runtime;

namespace {

// The probability that a positive row has the larger score, ties counting half: all pairs.
double area_by_pairs(const std::vector<double>& rows, size_t classes, size_t which) {
  double won = 0, pairs = 0;
  const auto positive = [&](size_t at) {
    return classes == 1 ? rows[at + 1] == 1 : rows[at + classes] == static_cast<double>(which);
  };
  for (size_t a = 0; a < rows.size(); a += classes + 1) {
    for (size_t b = 0; b < rows.size(); b += classes + 1) {
      if (!positive(a) || positive(b)) continue;
      pairs += 1;
      if (rows[a + which] > rows[b + which]) won += 1;
      if (rows[a + which] == rows[b + which]) won += 0.5;
    }
  }
  return won / pairs;
}

// Scores from few values, so that there are many ties.
std::vector<double> random_rows(size_t count, size_t classes, unsigned seed) {
  std::mt19937 source(seed);
  std::vector<double> rows;
  for (size_t r = 0; r < count; ++r) {
    for (size_t c = 0; c < classes; ++c) rows.push_back(static_cast<double>(source() % 7) / 8);
    rows.push_back(static_cast<double>(source() % std::max<size_t>(classes, 2)));
  }
  return rows;
}

}  // namespace

TEST_CASE("the area is that of all pairs, ties counting half") {
  for (size_t classes : {1, 2, 5}) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const std::vector<double> rows = random_rows(61, classes, seed);
      const std::vector<double> areas = areas_under_roc(rows, classes);
      REQUIRE(areas.size() == classes);
      for (size_t c = 0; c < classes; ++c) {
        CHECK(areas[c] == doctest::Approx(area_by_pairs(rows, classes, c)).epsilon(1e-14));
      }
    }
  }
}

TEST_CASE("the area has the same bits for every order of the rows") {
  std::vector<double> rows = random_rows(200, 1, 5);
  const double area = areas_under_roc(rows, 1)[0];
  for (size_t i = 0; i + 3 < rows.size(); i += 2) {
    const size_t j = (i * 7 + 34) % rows.size() / 2 * 2;
    std::swap(rows[i], rows[j]);
    std::swap(rows[i + 1], rows[j + 1]);
  }
  CHECK(areas_under_roc(rows, 1)[0] == area);
}

TEST_CASE("no area without rows of both kinds, or with a score that is not a number") {
  CHECK(std::isnan(areas_under_roc({0.1, 1, 0.2, 1}, 1)[0]));
  CHECK(std::isnan(areas_under_roc({0.1, 0, 0.2, 0}, 1)[0]));
  CHECK(std::isnan(areas_under_roc({0.1, 0, std::nan(""), 1}, 1)[0]));
  CHECK(roc_curves({0.1, 1}, 1, -1)[0].threshold.empty());
}

TEST_CASE("the curve bends only where it must, and the area below it is the area") {
  const std::vector<double> rows{0.9, 1, 0.8, 1, 0.7, 0, 0.7, 1, 0.3, 0, 0.2, 0};
  const RocCurve curve = roc_curves(rows, 1, -1)[0];
  CHECK(curve.threshold == std::vector<double>{INFINITY, 0.8, 0.7, 0.2});
  CHECK(curve.true_positive_rate == std::vector<double>{0, 2.0 / 3, 1, 1});
  CHECK(curve.false_positive_rate == std::vector<double>{0, 0, 1.0 / 3, 1});
  const std::vector<double> many = random_rows(300, 3, 1);
  for (size_t c = 0; c < 3; ++c) {
    const RocCurve one = roc_curves(many, 3, static_cast<int64_t>(c)).at(0);
    double area = 0;
    for (size_t i = 1; i < one.threshold.size(); ++i) {
      area += (one.false_positive_rate[i] - one.false_positive_rate[i - 1]) *
              (one.true_positive_rate[i] + one.true_positive_rate[i - 1]) / 2;
    }
    CHECK(area == doctest::Approx(areas_under_roc(many, 3)[c]).epsilon(1e-12));
  }
}

TEST_CASE("precision, recall and f1 of each class") {
  // Class 0: 3 of 4 found, one of class 1 taken for it; class 2 never occurs; class 3 only
  // wrongly.
  const std::vector<double> counts{3, 1, 0, 0, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
  const auto precision = count_ratios(counts, 4, abi::Finalize::precision);
  const auto recall = count_ratios(counts, 4, abi::Finalize::recall);
  const auto f1 = count_ratios(counts, 4, abi::Finalize::f1);
  CHECK(precision[0] == 0.75);
  CHECK(precision[1] == 2.0 / 3);
  CHECK(recall[0] == 0.75);
  CHECK(recall[1] == 0.5);
  CHECK(f1[1] == doctest::Approx(2 * (2.0 / 3 * 0.5) / (2.0 / 3 + 0.5)));
  for (const auto& values : {precision, recall, f1}) {
    CHECK(std::isnan(values[2]));
    CHECK(values[3] == 0);
  }
}

// Numbers of scikit-learn 1.x: balanced_accuracy_score, matthews_corrcoef, precision_score … of
// these labels, zero_division = 0.
TEST_CASE("all classes in one number: balanced accuracy, Matthews' correlation, averages") {
  const int target[] = {0, 0, 0, 1, 1, 2, 2, 2, 2, 3}, taken[] = {0, 1, 0, 1, 2, 2, 2, 0, 2, 0};
  std::vector<double> counts(16);
  for (size_t i = 0; i < 10; ++i) counts[static_cast<size_t>(target[i] * 4 + taken[i])] += 1;
  CHECK(balanced_accuracy(counts, 4) == doctest::Approx((2.0 / 3 + 0.5 + 0.75 + 0) / 4));
  // (c·s - Σ p_k t_k) / √((s² - Σ p_k²)(s² - Σ t_k²)) of c = 6, s = 10, p = 4 2 4 0, t = 3 2 4 1
  CHECK(matthews_correlation(counts, 4) == doctest::Approx(28 / std::sqrt(64.0 * 70)));
  CHECK(matthews_correlation(counts, 4) == doctest::Approx(0.4183300132670378));
  CHECK(micro_ratio(counts, 4) == doctest::Approx(0.6));
  const auto weighted = [&](abi::Finalize which) {
    return weighted_by_class(count_ratios(counts, 4, which), counts, 4);
  };
  CHECK(weighted(abi::Finalize::precision) == doctest::Approx(0.55));
  CHECK(weighted(abi::Finalize::recall) == doctest::Approx(0.6));
  CHECK(weighted(abi::Finalize::f1) == doctest::Approx(0.5714285714285714));
  // A class that is no target takes no part; a prediction that is always the same correlates not.
  CHECK(balanced_accuracy(std::vector<double>{3, 1, 0, 0}, 2) == 0.75);
  CHECK(matthews_correlation(std::vector<double>{3, 0, 2, 0}, 2) == 0);
  CHECK(matthews_correlation(std::vector<double>{3, 0, 0, 2}, 2) == 1);
  CHECK(matthews_correlation(std::vector<double>{0, 3, 2, 0}, 2) == -1);
  CHECK(std::isnan(matthews_correlation(std::vector<double>(4), 2)));
  CHECK(std::isnan(micro_ratio(std::vector<double>(4), 2)));
}

// average_precision_score of scikit-learn 1.x.
TEST_CASE("average precision adds up the steps of the recall") {
  const double scores[] = {.9, .8, .8, .7, .6, .55, .5, .4, .4, .1};
  const double positive[] = {1, 0, 1, 1, 0, 1, 0, 0, 1, 0};
  std::vector<double> rows;
  for (size_t i = 0; i < 10; ++i) rows.insert(rows.end(), {scores[i], positive[i]});
  // 1/5·1/1 + 1/5·2/3 + 1/5·3/4 + 1/5·4/6 + 1/5·5/9, the two rows at 0.8 and at 0.4 together
  CHECK(average_precisions(rows, 1)[0] == doctest::Approx(0.7277777777777779));
  CHECK(average_precisions({.3, 1, .2, 1}, 1)[0] == 1);
  CHECK(std::isnan(average_precisions({.3, 0, .2, 0}, 1)[0]));
  CHECK(std::isnan(average_precisions({NAN, 1, .2, 0}, 1)[0]));
  const std::vector<double> classes = {.7, .2, .1, 0,  .1, .6, .3, 1,  .2, .2,
                                       .6, 2,  .4, .5, .1, 0,  .3, .3, .4, 1};
  const std::vector<double> each = average_precisions(classes, 3);
  CHECK(each[0] == 1);
  CHECK(each[1] == doctest::Approx(0.8333333333333333));
  CHECK(each[2] == 1);
}

TEST_CASE("gathered metrics do not depend on batches and survive a checkpoint") {
  abi::Program program;
  program.metrics = {{"auc", abi::Finalize::auc, 2},
                     {"auc_1", abi::Finalize::auc, 2, 1},
                     {"f1", abi::Finalize::f1, 2},
                     {"roc", abi::Finalize::roc, 2, 1}};
  abi::EntryDesc entry;
  entry.max_rows = 50;
  const auto output = [](const char* name, int64_t k) {
    return abi::OutputDesc{name, abi::DType::f64, {k}, true};
  };
  entry.outputs = {output("metric.auc", 3), output("metric.auc_1", 3), output("metric.f1", 2),
                   output("metric.roc", 3)};
  std::vector<double> scores = random_rows(50, 2, 9);
  std::vector<double> pairs;
  for (size_t r = 0; r < 50; ++r) {
    pairs.push_back(scores[3 * r + 2]);
    pairs.push_back(scores[3 * r + 1] > scores[3 * r] ? 1 : 0);
  }
  const auto add = [&](Accumulator& to, int64_t first, int64_t count) {
    double* s = scores.data() + 3 * first;
    void* outputs[] = {s, s, pairs.data() + 2 * first, s};
    to.add(outputs, count);
  };
  Accumulator whole(program, entry);
  add(whole, 0, 50);
  Accumulator first(program, entry);
  for (int64_t r = 0; r < 20; ++r) add(first, r, 1);
  Accumulator second(program, entry);
  second.restore(first.sums());
  add(second, 20, 17);
  add(second, 37, 13);
  const Metrics a = whole.finish();
  const Metrics b = second.finish();
  for (const char* name : {"auc", "auc_1", "f1"}) {
    CAPTURE(name);
    CHECK(a.value(name) > 0);
    CHECK(a.value(name) == b.value(name));
  }
  REQUIRE(a.per_class.size() == 2);  // of auc and f1: auc_1 is one class alone
  CHECK(a.per_class[0].second == areas_under_roc(scores, 2));
  CHECK(a.value("auc_1") == a.per_class[0].second[1]);
  REQUIRE(a.curves.size() == 1);
  CHECK(a.curves[0].second.size() == 1);
  second.reset();
  add(second, 0, 50);
  CHECK(second.finish().value("auc") == a.value("auc"));
}
