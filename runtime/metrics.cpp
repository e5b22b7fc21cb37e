#include "runtime/metrics.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>

namespace nnc::runtime {
namespace {

using abi::DType;
using abi::Finalize;

int find_output(const abi::EntryDesc& entry, const std::string& name) {
  for (size_t i = 0; i < entry.outputs.size(); ++i) {
    if (entry.outputs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

size_t sums_of(const abi::MetricDesc& metric) {
  switch (metric.finalize) {
    case Finalize::mean:
    case Finalize::root_mean: return 1;
    // Σw, mean target, Σw(t-mean)², Σw(t-p)² of each number
    case Finalize::r2: return 4 * static_cast<size_t>(std::max<int64_t>(metric.classes, 1));
    case Finalize::confusion:
    case Finalize::precision:
    case Finalize::recall:
    case Finalize::f1:
    case Finalize::balanced_accuracy:
    case Finalize::mcc: return static_cast<size_t>(metric.classes * metric.classes);
    case Finalize::auc:
    case Finalize::average_precision:
    case Finalize::roc: break;  // gathered
  }
  return 0;
}

bool needs_all_rows(Finalize finalize) {
  return finalize == Finalize::auc || finalize == Finalize::average_precision ||
         finalize == Finalize::roc;
}

// Whether it has a value for each class, and its own value is one of them or their mean.
bool is_per_class(Finalize finalize) {
  return finalize == Finalize::precision || finalize == Finalize::recall ||
         finalize == Finalize::f1 || finalize == Finalize::auc ||
         finalize == Finalize::average_precision;
}

const double missing = std::numeric_limits<double>::quiet_NaN();

// The class that was chosen, or the mean over the classes that have a value.
double mean_of_classes(const std::vector<double>& values, int64_t chosen) {
  if (chosen >= 0) return values[static_cast<size_t>(chosen)];
  double sum = 0;
  int64_t count = 0;
  for (double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : missing;
}

}  // namespace

bool is_number(Finalize finalize) {
  return finalize != Finalize::confusion && finalize != Finalize::roc;
}

double Metrics::value(const std::string& name) const {
  if (name == "loss") return loss;
  for (const auto& [term, number] : terms) {
    if (name == "loss." + term || name == term) return number;
  }
  for (const auto& [metric, number] : metrics) {
    if (name == metric) return number;
  }
  return missing;
}

bool Metrics::finite() const {
  if (std::isfinite(loss) || terms.empty()) return std::isfinite(loss);
  return std::isnan(loss) && std::all_of(terms.begin(), terms.end(), [](const auto& term) {
           return std::isfinite(term.second);
         });
}

Accumulator::Accumulator(const abi::Program& program, const abi::EntryDesc& entry)
    : sums_rows_(program.sums_rows), has_total_(program.has_total), sums_(2) {
  for (const std::string& term : program.loss_terms) {
    Part part;
    part.name = term;
    part.is_term = true;
    add_part(part, entry, "loss." + term, 1);
  }
  if (find_output(entry, "loss") >= 0) {
    Part part;
    part.name = "total";
    part.is_term = true;
    total_ = static_cast<int>(parts_.size());
    add_part(part, entry, "loss", 1);
  }
  for (const abi::MetricDesc& metric : program.metrics) {
    Part part;
    part.name = metric.name;
    part.metric = metric;
    if (needs_all_rows(metric.finalize)) part.width = static_cast<size_t>(metric.classes) + 1;
    add_part(part, entry, "metric." + metric.name, sums_of(metric));
  }
  weight_output_ = find_output(entry, "weight");
  if (weight_output_ >= 0) {
    const auto output = static_cast<size_t>(weight_output_);
    weight_is_f64_ = entry.outputs[output].dtype == DType::f64;
  }
  weights_.assign(static_cast<size_t>(std::max<int64_t>(entry.max_rows, 1)), 1.0);
}

// Entries leave out what they do not compute (metrics of a step, say).
void Accumulator::add_part(Part part, const abi::EntryDesc& entry, const std::string& output,
                           size_t sums) {
  part.output = find_output(entry, output);
  if (part.output < 0) return;
  const abi::OutputDesc& desc = entry.outputs[static_cast<size_t>(part.output)];
  if (desc.dtype != DType::f32 && desc.dtype != DType::f64) {
    throw std::invalid_argument("output '" + output + "' must be f32 or f64");
  }
  part.is_f64 = desc.dtype == DType::f64;
  part.per_row = desc.per_row;
  part.first = sums_.size();
  sums_.resize(sums_.size() + sums);
  parts_.push_back(std::move(part));
}

void Accumulator::reset() {
  sums_.assign(sums_.size(), 0.0);
  for (Part& part : parts_) part.gathered.clear();
}

std::vector<double> Accumulator::sums() const {
  std::vector<double> all = sums_;
  for (const Part& part : parts_) {
    all.insert(all.end(), part.gathered.begin(), part.gathered.end());
  }
  return all;
}

bool Accumulator::restore(const std::vector<double>& sums) {
  size_t width = 0;
  for (const Part& part : parts_) width += part.width;
  if (sums.size() < sums_.size()) return false;
  const size_t gathered = sums.size() - sums_.size();
  const size_t rows = width > 0 ? gathered / width : 0;
  if (rows * width != gathered) return false;
  if (width > 0 && sums[0] != static_cast<double>(rows)) return false;
  auto from = sums.begin() + static_cast<std::ptrdiff_t>(sums_.size());
  std::copy(sums.begin(), from, sums_.begin());
  for (Part& part : parts_) {
    const auto end = from + static_cast<std::ptrdiff_t>(rows * part.width);
    part.gathered.assign(from, end);
    from = end;
  }
  return true;
}

template <class T>
void Accumulator::add_counts(const Part& part, const T* values, int64_t rows) {
  double* counts = sums_.data() + part.first;
  const int64_t classes = part.metric.classes;
  for (int64_t r = 0; r < rows; ++r) {
    const auto target = static_cast<int64_t>(values[2 * r]);
    const auto prediction = static_cast<int64_t>(values[2 * r + 1]);
    if (target < 0 || target >= classes || prediction < 0 || prediction >= classes) continue;
    counts[target * classes + prediction] += 1;
  }
}

// Predictions, then targets, of each row.
template <class T>
void Accumulator::add_spreads(const Part& part, const T* values, int64_t rows) {
  const int64_t count = std::max<int64_t>(part.metric.classes, 1);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < count; ++i) {
      double* sums = sums_.data() + part.first + 4 * i;
      const double prediction = values[2 * count * r + i];
      const double target = values[2 * count * r + count + i];
      const double weight = weights_[static_cast<size_t>(r)];
      sums[0] += weight;
      const double delta = target - sums[1];
      if (sums[0] > 0) sums[1] += delta * (weight / sums[0]);
      sums[2] += weight * delta * (target - sums[1]);
      sums[3] += weight * (target - prediction) * (target - prediction);
    }
  }
}

template <class T>
void Accumulator::add_values(Part& part, const T* values, int64_t rows) {
  double* sums = sums_.data() + part.first;
  const double* weights = weights_.data();
  if (!part.per_row) {  // one number for the batch stands for each of its rows
    double weight = 0;
    for (int64_t r = 0; r < rows; ++r) weight += weights[r];
    sums[0] += weight * static_cast<double>(values[0]);
    return;
  }
  switch (part.metric.finalize) {
    case Finalize::mean:
    case Finalize::root_mean: {
      double sum = sums[0];
      for (int64_t r = 0; r < rows; ++r) sum += weights[r] * static_cast<double>(values[r]);
      sums[0] = sum;
      return;
    }
    case Finalize::r2: return add_spreads(part, values, rows);
    case Finalize::confusion:
    case Finalize::precision:
    case Finalize::recall:
    case Finalize::f1:
    case Finalize::balanced_accuracy:
    case Finalize::mcc: return add_counts(part, values, rows);
    case Finalize::auc:
    case Finalize::average_precision:
    case Finalize::roc:
      part.gathered.insert(part.gathered.end(), values,
                           values + static_cast<size_t>(rows) * part.width);
      return;
  }
}

template <class T>
int64_t Accumulator::find_bad(const Part& part, const T* values, int64_t rows) {
  for (int64_t r = 0; r < (part.per_row ? rows : 1); ++r) {
    if (std::isfinite(values[r])) continue;
    bad_term_ = part.name;
    return r;
  }
  return -1;
}

int64_t Accumulator::add(void* const* outputs, int64_t rows) {
  double weight = 0;
  if (weight_output_ >= 0) {
    const void* from = outputs[weight_output_];
    for (int64_t r = 0; r < rows; ++r) {
      weights_[static_cast<size_t>(r)] =
          weight_is_f64_ ? static_cast<const double*>(from)[r] : static_cast<const float*>(from)[r];
      weight += weights_[static_cast<size_t>(r)];
    }
  } else {
    weight = static_cast<double>(rows);
  }
  sums_[0] += static_cast<double>(rows);
  sums_[1] += weight;
  int64_t first_bad = -1;
  for (Part& part : parts_) {
    const void* values = outputs[part.output];
    if (part.is_f64) {
      add_values(part, static_cast<const double*>(values), rows);
    } else {
      add_values(part, static_cast<const float*>(values), rows);
    }
    // A sum is finite unless one of its numbers was not.
    if (!part.is_term || first_bad >= 0 || std::isfinite(sums_[part.first])) continue;
    first_bad = part.is_f64 ? find_bad(part, static_cast<const double*>(values), rows)
                            : find_bad(part, static_cast<const float*>(values), rows);
  }
  return first_bad;
}

std::vector<double> Accumulator::class_values(const Part& part) const {
  const size_t count = static_cast<size_t>(part.metric.classes);
  if (part.metric.finalize == Finalize::auc) return areas_under_roc(part.gathered, count);
  if (part.metric.finalize == Finalize::average_precision)
    return average_precisions(part.gathered, count);
  return count_ratios(counts_of(part), count, part.metric.finalize);
}

std::span<const double> Accumulator::counts_of(const Part& part) const {
  const auto n = static_cast<size_t>(part.metric.classes);
  return {sums_.data() + part.first, n * n};
}

// Of several numbers the mean over those whose targets differ.
double Accumulator::explained(const Part& part) const {
  double sum = 0;
  double varying = 0;
  for (int64_t i = 0; i < std::max<int64_t>(part.metric.classes, 1); ++i) {
    const double* sums = sums_.data() + part.first + 4 * i;
    if (!(sums[2] > 0)) continue;
    sum += 1 - sums[3] / sums[2];
    varying += 1;
  }
  return varying > 0 ? sum / varying : missing;
}

// One value of all classes, or of the one that was chosen.
double Accumulator::joined(const Part& part, const std::vector<double>& values) const {
  const auto n = static_cast<size_t>(part.metric.classes);
  if (part.metric.chosen < 0 && part.metric.average == abi::Average::micro)
    return micro_ratio(counts_of(part), n);
  if (part.metric.chosen < 0 && part.metric.average == abi::Average::weighted)
    return weighted_by_class(values, counts_of(part), n);
  return mean_of_classes(values, part.metric.chosen);
}

double Accumulator::part_value(const Part& part) const {
  const double* sums = sums_.data() + part.first;
  const auto n = static_cast<size_t>(part.metric.classes);
  switch (part.metric.finalize) {
    case Finalize::mean: return sums[0] / sums_[1];
    case Finalize::root_mean: return std::sqrt(sums[0] / sums_[1]);
    case Finalize::r2: return explained(part);
    case Finalize::balanced_accuracy: return balanced_accuracy(counts_of(part), n);
    case Finalize::mcc: return matthews_correlation(counts_of(part), n);
    default: return missing;
  }
}

void Accumulator::finish_metric(const Part& part, Metrics& result) const {
  const auto n = static_cast<size_t>(part.metric.classes);
  if (part.metric.finalize == Finalize::confusion) {
    std::vector<std::vector<int64_t>> table(n, std::vector<int64_t>(n));
    for (size_t k = 0; k < n * n; ++k) {
      table[k / n][k % n] = static_cast<int64_t>(sums_[part.first + k]);
    }
    result.tables.emplace_back(part.name, std::move(table));
  } else if (part.metric.finalize == Finalize::roc) {
    result.curves.emplace_back(part.name, roc_curves(part.gathered, n, part.metric.chosen));
  } else if (is_per_class(part.metric.finalize)) {
    std::vector<double> values = class_values(part);
    result.metrics.emplace_back(part.name, joined(part, values));
    if (part.metric.chosen < 0 && n > 1) {
      result.per_class.emplace_back(part.name, std::move(values));
    }
  } else {
    result.metrics.emplace_back(part.name, part_value(part));
  }
}

double Accumulator::mean_loss() const {
  if (total_ >= 0) return part_value(parts_[static_cast<size_t>(total_)]);
  double sum = 0;
  bool any = false;
  for (const Part& part : parts_) {
    if (!part.is_term) continue;
    sum += part_value(part);
    any = true;
  }
  return any ? sum : missing;
}

// A loss term as it is minimised.
double Accumulator::term_value(const Part& part) const {
  return part_value(part) * (sums_rows_ && part.per_row ? sums_[1] : 1.0);
}

double Accumulator::total_loss() const {
  if (!sums_rows_) return mean_loss();
  double once = 0;  // the total per row has the penalty in it
  for (const Part& part : parts_)
    if (part.is_term && !part.per_row) once += part_value(part);
  return (mean_loss() - once) * sums_[1] + once;
}

std::vector<std::pair<std::string, double>> Accumulator::terms() const {
  std::vector<std::pair<std::string, double>> result;
  if (sums_[0] == 0) return result;
  for (size_t i = 0; i < parts_.size(); ++i)
    if (parts_[i].is_term && static_cast<int>(i) != total_)
      result.emplace_back(parts_[i].name, term_value(parts_[i]));
  return result;
}

Metrics Accumulator::finish() const {
  Metrics result;
  result.rows = static_cast<int64_t>(sums_[0]);
  if (result.empty()) return result;
  result.loss = has_total_ || total_ >= 0 ? total_loss() : missing;
  result.terms = terms();
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (!part.is_term) finish_metric(part, result);
  }
  if (result.terms.size() == 1 && total_ < 0 && has_total_) result.terms.clear();  // it is the loss
  return result;
}

}  // namespace nnc::runtime
