#include "runtime/data/statistics.h"

#include <cmath>
#include <limits>

#include "runtime/rng.h"
#include "support.h"

using namespace nnc;
using namespace nnc::runtime;
using namespace nnc::runtime::test;
using Kind = PrepareStep::Kind;

namespace {

DataSpec spec_of(std::vector<PrepareStep> prepare) {
  DataSpec spec;
  FieldSpec field;
  field.name = "x";
  field.prepare = std::move(prepare);
  spec.fields = {field};
  return spec;
}

template <class T>
Split split_of(abi::DType dtype, std::vector<int64_t> row_shape, const std::vector<T>& values) {
  auto table = std::make_shared<Table>();
  table->file = "data";
  Column column;
  column.name = "x";
  column.dtype = dtype;
  column.row_shape = std::move(row_shape);
  column.bytes = Buffer(values.size() * sizeof(T));
  std::copy(values.begin(), values.end(), column.bytes.as<T>());
  table->rows = static_cast<int64_t>(values.size()) / column.row_elements();
  table->columns.push_back(std::move(column));
  return all_rows(table);
}

}  // namespace

TEST_CASE("standardize learns each entry of the last axis, from the training rows only") {
  Split train = split_of<float>(abi::DType::f32, {2}, {1, 10, 3, 30, 100, 1000});
  train.rows = {0, 1};  // the third row is not for training
  const auto fitted = fit(spec_of({{Kind::standardize}}), train);
  REQUIRE(fitted.size() == 1);
  CHECK(fitted[0].field == "x");
  CHECK(fitted[0].mean == std::vector<double>{2, 20});
  CHECK(fitted[0].stddev == std::vector<double>{1, 10});
  CHECK(fitted[0].statistic("min") == std::vector<double>{1, 10});
  CHECK(fitted[0].statistic("max") == std::vector<double>{3, 30});
}

TEST_CASE("steps learn from what the steps before them leave") {
  const Split train = split_of<float>(abi::DType::f32, {}, {2, 4, 6, 8});
  const auto fitted =
      fit(spec_of({{Kind::scale, 0.5}, {Kind::minmax, 0, 1}, {Kind::standardize}}), train);
  REQUIRE(fitted.size() == 2);
  CHECK(fitted[0].step == 1);
  CHECK(fitted[0].min == std::vector<double>{1});
  CHECK(fitted[0].max == std::vector<double>{4});
  CHECK(fitted[1].step == 2);
  CHECK(fitted[1].mean[0] == doctest::Approx(0.5));
  CHECK(fitted[1].stddev[0] == doctest::Approx(std::sqrt(5.0) / 6));
}

TEST_CASE("bytes are counted to the same result") {
  std::vector<uint8_t> bytes;
  std::vector<float> floats;
  for (uint64_t i = 0; i < 3000; ++i) {
    bytes.push_back(static_cast<uint8_t>(RandomStream{1, 2, 0, 0}.word(i)));
    floats.push_back(bytes.back());
  }
  const DataSpec spec = spec_of({{Kind::scale, 1.0 / 255}, {Kind::standardize}});
  const auto a = fit(spec, split_of(abi::DType::u8, {2, 5, 3}, bytes));
  const auto b = fit(spec, split_of(abi::DType::f32, {2, 5, 3}, floats));
  REQUIRE(a[0].mean.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(a[0].mean[i] == doctest::Approx(b[0].mean[i]).epsilon(1e-12));
    CHECK(a[0].stddev[i] == doctest::Approx(b[0].stddev[i]).epsilon(1e-12));
  }
}

TEST_CASE("impute learns the mean of what is there") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Split train = split_of<float>(abi::DType::f32, {1}, {1, nan, 5});
  const auto fitted = fit(spec_of({{Kind::impute}, {Kind::standardize}}), train);
  CHECK(fitted[0].mean == std::vector<double>{3});
  CHECK(fitted[1].mean == std::vector<double>{3});
  CHECK(fitted[1].stddev[0] == doctest::Approx(std::sqrt(8.0 / 3)));
}

TEST_CASE("what cannot be learned is refused") {
  TemporaryFolder folder;
  const auto error = [&](Kind kind, const std::vector<float>& values) {
    const Split train = split_of<float>(abi::DType::f32, {2}, values);
    return data_error(folder, [&] { fit(spec_of({{kind}}), train); });
  };
  CHECK(error(Kind::standardize, {1, 7, 2, 7}) ==
        "data: field 'x', column 1 (counted from 0): standardize cannot prepare a constant "
        "column\n  expected  two different values or more in the training rows\n"
        "  got       7 in all 2 rows");
  CHECK(error(Kind::minmax, {1, 7, 1, 8}).find("column 0 (counted from 0): minmax cannot") !=
        std::string::npos);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(error(Kind::standardize, {1, 7, nan, 8}).find("row 1 (counted from 0)") !=
        std::string::npos);
  CHECK(error(Kind::impute, {1, nan, 2, nan}).find("every training row is missing here") !=
        std::string::npos);
  CHECK_THROWS_AS(FittedStep{}.statistic("median"), std::invalid_argument);
}
