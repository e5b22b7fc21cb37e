#include "runtime/data/split.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "runtime/data/load.h"
#include "runtime/data/probe.h"
#include "support.h"

using namespace nnc;
using namespace nnc::runtime;
using namespace nnc::runtime::test;

namespace {

// `rows` rows: x counts, label is x % classes.
DataSpec counting(int64_t rows, int64_t classes) {
  InlineSource source{rows, {InlineField{"x", {}, {}, {}}, InlineField{"label", {}, {}, {}}}};
  for (int64_t i = 0; i < rows; ++i) {
    source.fields[0].numbers.push_back(static_cast<double>(i));
    source.fields[1].numbers.push_back(static_cast<double>(i % classes));
  }
  DataSpec spec;
  spec.train = Source{source, {}};
  FieldSpec label;
  label.name = "label";
  label.classes = classes;
  spec.fields = {label};
  return spec;
}

std::vector<int32_t> together(const Dataset& data) {
  std::vector<int32_t> rows;
  for (const Split* split : {&data.train, &data.valid, &data.test}) {
    CHECK(std::is_sorted(split->rows.begin(), split->rows.end()));
    rows.insert(rows.end(), split->rows.begin(), split->rows.end());
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace

TEST_CASE("fractions part the training rows; test is taken first") {
  DataSpec spec = counting(103, 3);
  spec.test_fraction = Fraction{0.2, "", 5};
  spec.valid_fraction = Fraction{0.1, "", 7};
  const Dataset data = load(spec);
  CHECK(data.test.size() == 21);  // of 103
  CHECK(data.valid.size() == 8);  // of 82
  CHECK(data.train.size() == 74);
  std::vector<int32_t> all(103);
  std::iota(all.begin(), all.end(), 0);
  CHECK(together(data) == all);
  const ProbeResult probed = probe(spec);
  CHECK(probed.test_rows == 21);
  CHECK(probed.valid_rows == 8);
  CHECK(probed.train_rows == 74);
  // The test rows depend on their own seed only, and are the same when they alone are loaded.
  spec.valid_fraction->seed = 8;
  CHECK(load(spec).test.rows == data.test.rows);
  CHECK(load(spec).valid.rows != data.valid.rows);
  CHECK(load(spec, {false, false, true}).test.rows == data.test.rows);
  spec.test_fraction->seed = 6;
  CHECK(load(spec).test.rows != data.test.rows);
}

TEST_CASE("stratified fractions keep the shares of the classes") {
  DataSpec spec = counting(300, 3);
  spec.valid_fraction = Fraction{0.1, "label", 7};
  const Dataset data = load(spec);
  std::map<double, int> counts;
  for (int32_t row : data.valid.rows) ++counts[data.valid.table->find("label")->number(row)];
  CHECK(counts == std::map<double, int>{{0, 10}, {1, 10}, {2, 10}});
  spec.valid_fraction->stratify = "x";
  TemporaryFolder folder;
  CHECK(data_error(folder, [&] { load(spec); }) ==
        "inline data: the valid split cannot be stratified by 'x'\n"
        "  expected  an index field (classes, names or category) with one number a row");
}

TEST_CASE("stratified fractions have the size that was asked for") {
  // 7, 13 and 80 rows of three classes; one of a fourth.
  DataSpec spec = counting(101, 4);
  auto& labels = std::get<InlineSource>(spec.train->kind).fields[1].numbers;
  for (size_t i = 0; i < 101; ++i) labels[i] = i < 7 ? 0 : i < 20 ? 1 : i < 100 ? 2 : 3;
  const auto taken = [&](double fraction) {
    spec.test_fraction = Fraction{fraction, "label", 7};
    const Dataset data = load(spec);
    std::map<double, int> counts;
    for (int32_t row : data.test.rows) ++counts[data.test.table->find("label")->number(row)];
    return counts;
  };
  CHECK(taken(0.1) == std::map<double, int>{{0, 1}, {1, 1}, {2, 8}});
  CHECK(taken(0.5) == std::map<double, int>{{0, 4}, {1, 7}, {2, 40}});
  spec.test_fraction->each_class_rounded = true;  // as earlier versions did it
  CHECK(load(spec).test.size() == 52);
  TemporaryFolder folder;
  CHECK(data_error(folder, [&] { taken(0.02); }) ==
        "inline data: a test fraction of 0.02, stratified by 'label', is 2 of 101 rows, which "
        "leaves 2 rows for test: too few for one of each class\n"
        "  expected  3 rows or more, one for each class that has two, or no `stratify`\n"
        "  got       4 classes");
}

TEST_CASE("a split that would be empty is refused") {
  DataSpec spec = counting(3, 3);
  spec.valid_fraction = Fraction{0.1, "", 0};
  TemporaryFolder folder;
  CHECK(data_error(folder, [&] { load(spec); }) ==
        "inline data: a valid fraction of 0.1 leaves no rows for valid\n  got       3 rows");
  spec.valid_fraction->fraction = 0.9;
  CHECK(data_error(folder, [&] { load(spec); }) ==
        "inline data: a valid fraction of 0.9 leaves no rows for training\n  got       3 rows");
}

TEST_CASE("`where` drops rows before anything else looks at them") {
  DataSpec spec = counting(10, 5);
  spec.fields[0].classes = 4;  // label 4 is out of range, unless it is dropped
  TemporaryFolder folder;
  CHECK(data_error(folder, [&] { load(spec); }).find("row 4 (counted from 0)") !=
        std::string::npos);
  spec.train->where = [](const Table& table) {
    std::vector<uint8_t> keep;
    for (int64_t row = 0; row < table.rows; ++row) {
      keep.push_back(table.find("label")->number(row) != 4 ? 1 : 0);
    }
    return keep;
  };
  CHECK(load(spec).train.rows == std::vector<int32_t>{0, 1, 2, 3, 5, 6, 7, 8});
  CHECK(probe(spec).train_rows == -1);
  spec.train->where = [](const Table& table) {
    return std::vector<uint8_t>(static_cast<size_t>(table.rows), 0);
  };
  CHECK(data_error(folder, [&] { load(spec); }) == "inline data: `where` keeps none of the rows");
}

TEST_CASE("sources of other splits must have the same fields") {
  DataSpec spec = counting(10, 5);
  spec.test = counting(4, 5).train;
  CHECK(probe(spec).test_rows == 4);
  CHECK(load(spec).test.size() == 4);
  auto& fields = std::get<InlineSource>(spec.test->kind).fields;
  fields[0].row_shape = {2};
  TemporaryFolder folder;
  CHECK(data_error(folder, [&] { probe(spec); }) ==
        "inline data: the rows have another shape\n"
        "  expected  rows of [] in field 'x' (as in inline data)\n"
        "  got       rows of [2] in field 'x'");
  fields.erase(fields.begin());
  CHECK(data_error(folder, [&] { probe(spec); }) ==
        "inline data: there is no field 'x'\n  expected  the fields of inline data");
}

TEST_CASE("generated rows come from their callback, once") {
  int calls = 0;
  GeneratedSource source;
  source.rows = 5;
  source.fields = {{"x", {}}};
  source.make = [&] {
    ++calls;
    return std::vector<InlineField>{{"x", {}, {1, 2, 3, 4, 5}, {}}};
  };
  DataSpec spec;
  spec.train = Source{source, {}};
  CHECK(probe(spec).train_rows == 5);
  CHECK(calls == 0);
  CHECK(load(spec).train.table->columns[0].number(4) == 5);
  CHECK(calls == 1);
}
