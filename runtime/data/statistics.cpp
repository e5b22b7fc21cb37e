#include "runtime/data/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "runtime/data/error.h"
#include "runtime/data/prepare.h"

namespace nnc::runtime {
namespace {

using Kind = PrepareStep::Kind;

// Mean and spread by Welford's recurrence, which does not cancel.
struct Moments {
  double count = 0, mean = 0, squares = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();

  void add(double x) {
    count += 1;
    const double delta = x - mean;
    mean += delta / count;
    squares += delta * (x - mean);
    min = std::min(min, x);
    max = std::max(max, x);
  }
};

class Fitter {
 public:
  Fitter(const FieldSpec& field, const Table& table, const Column& column, const Split& train)
      : field_(field), table_(table), column_(column), train_(train) {
    if (!column.row_shape.empty()) channels_ = static_cast<size_t>(column.row_shape.back());
  }

  void fit_all(std::vector<FittedStep>& result) {
    std::vector<FittedStep> own;
    own.reserve(field_.prepare.size());  // pointers into it stay valid
    for (size_t i = 0; i < field_.prepare.size(); ++i) {
      fitted_.push_back(nullptr);
      if (!field_.prepare[i].learns()) continue;
      own.push_back(fit_step(i));
      fitted_.back() = &own.back();
    }
    for (FittedStep& step : own) result.push_back(std::move(step));
  }

 private:
  FittedStep fit_step(size_t index) const {
    const std::vector<Moments> moments =
        column_.dtype == abi::DType::u8 ? gather_bytes(index) : gather(index);
    FittedStep result;
    result.field = field_.name;
    result.step = static_cast<int>(index);
    for (size_t channel = 0; channel < channels_; ++channel) {
      const Moments& m = moments[channel];
      const double stddev = m.count > 0 ? std::sqrt(m.squares / m.count) : 0;
      if (field_.prepare[index].fill != PrepareStep::Fill::number)
        check(field_.prepare[index].kind, channel, m);
      result.mean.push_back(m.mean);
      result.stddev.push_back(stddev);
      result.min.push_back(m.min);
      result.max.push_back(m.max);
    }
    const PrepareStep& step = field_.prepare[index];
    if (step.kind == Kind::impute && step.fill == PrepareStep::Fill::median)
      result.mean = medians(index);
    if (step.kind == Kind::impute && step.fill == PrepareStep::Fill::number)
      result.mean.assign(channels_, step.a);
    return result;
  }

  // The number in the middle of those that are not missing, or the mean of the two there.
  std::vector<double> medians(size_t index) const {
    std::vector<std::vector<double>> numbers(channels_);
    gather(index, &numbers);
    std::vector<double> result;
    for (std::vector<double>& all : numbers) {
      const auto middle = all.begin() + static_cast<int64_t>(all.size() / 2);
      std::nth_element(all.begin(), middle, all.end());
      const bool odd = all.size() % 2 == 1;
      result.push_back(odd ? *middle : (*middle + *std::max_element(all.begin(), middle)) / 2);
    }
    return result;
  }

  // `numbers`: takes those of each entry of the last axis, if it is there.
  std::vector<Moments> gather(size_t index,
                              std::vector<std::vector<double>>* numbers = nullptr) const {
    const bool skip_missing = field_.prepare[index].kind == Kind::impute;
    const int64_t width = column_.row_elements();
    std::vector<Moments> moments(channels_);
    for (int32_t row : train_.rows) {
      for (int64_t i = 0; i < width; ++i) {
        const size_t channel = static_cast<size_t>(i) % channels_;
        const double x = prepared_number(column_.number(row * width + i), field_.prepare, index,
                                         fitted_, channel);
        if (std::isfinite(x)) {
          moments[channel].add(x);
          if (numbers != nullptr) (*numbers)[channel].push_back(x);
        } else if (!skip_missing) {
          throw DataError(
              table_.file, fmt::format("{}, field '{}'", table_.place(row), field_.name),
              "prepare cannot learn from this number", "a finite number", fmt::format("{}", x));
        }
      }
    }
    return moments;
  }

  // A byte has 256 values: count them, then add up. The sums are exact integers up to the steps
  // before, so their order does not matter much; it is fixed all the same.
  std::vector<Moments> gather_bytes(size_t index) const {
    const auto width = static_cast<size_t>(column_.row_elements());
    std::vector<int64_t> counts(channels_ * 256);
    const auto* bytes = column_.bytes.as<uint8_t>();
    for (int32_t row : train_.rows) {
      const uint8_t* at = bytes + static_cast<size_t>(row) * width;
      for (size_t i = 0; i < width; i += channels_) {
        for (size_t c = 0; c < channels_; ++c) ++counts[c * 256 + at[i + c]];
      }
    }
    std::vector<Moments> moments(channels_);
    for (size_t c = 0; c < channels_; ++c) {
      for (size_t value = 0; value < 256; ++value) {
        const int64_t count = counts[c * 256 + value];
        if (count == 0) continue;
        merge(moments[c],
              prepared_number(static_cast<double>(value), field_.prepare, index, fitted_, c),
              static_cast<double>(count));
      }
    }
    return moments;
  }

  // Welford's step for `count` equal numbers.
  static void merge(Moments& m, double x, double count) {
    const double delta = x - m.mean;
    const double total = m.count + count;
    m.mean += delta * (count / total);
    m.squares += delta * delta * (m.count * count / total);
    m.count = total;
    m.min = std::min(m.min, x);
    m.max = std::max(m.max, x);
  }

  void check(Kind kind, size_t channel, const Moments& m) const {
    const std::string place =
        column_.row_shape.empty()
            ? fmt::format("field '{}'", field_.name)
            : fmt::format("field '{}', column {} (counted from 0)", field_.name, channel);
    if (m.count == 0) {
      throw DataError(table_.file, place, "every training row is missing here", "a number");
    }
    if (kind != Kind::impute && m.min == m.max) {
      throw DataError(table_.file, place,
                      fmt::format("{} cannot prepare a constant column",
                                  kind == Kind::standardize ? "standardize" : "minmax"),
                      "two different values or more in the training rows",
                      fmt::format("{} in all {} rows", m.min, train_.size()));
    }
  }

  const FieldSpec& field_;
  const Table& table_;
  const Column& column_;
  const Split& train_;
  size_t channels_ = 1;
  std::vector<const FittedStep*> fitted_;
};

}  // namespace

std::vector<double>& FittedStep::statistic(const std::string& name) {
  return const_cast<std::vector<double>&>(std::as_const(*this).statistic(name));
}

const std::vector<double>& FittedStep::statistic(const std::string& name) const {
  if (name == "mean") return mean;
  if (name == "stddev") return stddev;
  if (name == "min") return min;
  if (name == "max") return max;
  throw std::invalid_argument("there is no statistic '" + name + "'");
}

std::vector<FittedStep> fit(const DataSpec& spec, const Split& train) {
  std::vector<FittedStep> result;
  for (const FieldSpec& field : spec.fields) {
    const Column* column = train.table->find(field.name);
    if (column == nullptr) continue;
    Fitter(field, *train.table, *column, train).fit_all(result);
  }
  return result;
}

bool needs_f64(const std::vector<FittedStep>& fitted, const std::string& field) {
  constexpr double f32_rounding = 0x1p-24, visible = 0x1p-13;
  for (const FittedStep& step : fitted) {
    if (step.field != field) continue;
    for (size_t c = 0; c < step.mean.size(); ++c) {
      const double largest = std::max(std::abs(step.min[c]), std::abs(step.max[c]));
      if (largest * f32_rounding > visible * step.stddev[c]) return true;
    }
  }
  return false;
}

}  // namespace nnc::runtime
