// Per-row losses and metrics of a pass over rows, gathered in f64 in row order.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/class_scores.h"

namespace nnc::runtime {

// The finished numbers of one pass over a split.
struct Metrics {
  int64_t rows = 0;
  // The mean over rows of the total loss; their sum, and a penalty once, if that is minimised.
  double loss = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::pair<std::string, double>> terms;    // of the loss, when there are several
  std::vector<std::pair<std::string, double>> metrics;  // by MetricDesc order, tables left out
  // Confusion: counts[target][prediction] by metric name.
  std::vector<std::pair<std::string, std::vector<std::vector<int64_t>>>> tables;
  // precision, recall, f1 and auc of each class; NaN for a class that no row speaks of.
  std::vector<std::pair<std::string, std::vector<double>>> per_class;
  // roc: one curve for each class, or one alone.
  std::vector<std::pair<std::string, std::vector<RocCurve>>> curves;
  bool empty() const { return rows == 0; }
  // Whether the loss is a number; where there is no total, each of its terms.
  bool finite() const;
  // "loss", "loss.TERM" or a metric's name; NaN if there is none.
  double value(const std::string& name) const;
};

// Whether a metric is one number, not a table or a curve.
bool is_number(abi::Finalize finalize);

// Gathers what an entry writes. Outputs read, all f32 or f64: "loss.TERM" per row, or once per
// batch (a penalty); "loss" (the total per row; without it the sum of the terms); "metric.NAME"
// per row; "weight" per row (without it every row counts 1).
class Accumulator {
 public:
  Accumulator(const abi::Program& program, const abi::EntryDesc& entry);

  void reset();
  // Adds `rows` rows of the entry's outputs. Returns -1, or the first row with a loss that is not
  // finite (its term: bad_term()).
  int64_t add(void* const* outputs, int64_t rows);
  const std::string& bad_term() const { return bad_term_; }
  // The mean of the total loss so far.
  double mean_loss() const;
  // How many rows have been added, NaN or beyond any number if damaged sums were restored.
  double rows() const { return sums_[0]; }
  Metrics finish() const;
  // The loss terms alone, also if there is one.
  std::vector<std::pair<std::string, double>> terms() const;

  // All running sums and gathered scores, to be stored in a checkpoint and restored to the same
  // bits.
  std::vector<double> sums() const;
  // False if they are of another program, or damaged; nothing has changed then.
  bool restore(const std::vector<double>& sums);

 private:
  // A loss term or a metric: which output it reads and which sums it owns.
  struct Part {
    std::string name;
    bool is_term = false;
    int output = -1;
    bool is_f64 = false;
    bool per_row = true;
    abi::MetricDesc metric;
    size_t first = 0;  // into sums_
    // What needs all rows at once (auc, roc): `width` numbers of each, in the order of the rows.
    size_t width = 0;
    std::vector<double> gathered;
  };
  void add_part(Part part, const abi::EntryDesc& entry, const std::string& output, size_t sums);
  template <class T>
  void add_values(Part& part, const T* values, int64_t rows);
  template <class T>
  void add_counts(const Part& part, const T* values, int64_t rows);
  template <class T>
  void add_spreads(const Part& part, const T* values, int64_t rows);
  template <class T>
  int64_t find_bad(const Part& part, const T* values, int64_t rows);
  double part_value(const Part& part) const;
  double term_value(const Part& part) const;
  double total_loss() const;
  std::vector<double> class_values(const Part& part) const;
  std::span<const double> counts_of(const Part& part) const;
  double explained(const Part& part) const;
  double joined(const Part& part, const std::vector<double>& values) const;
  void finish_metric(const Part& part, Metrics& result) const;

  bool sums_rows_ = false;  // abi::Program::sums_rows
  bool has_total_ = true;   // abi::Program::has_total
  std::vector<Part> parts_;
  std::vector<double> sums_;     // rows, Σ weight, then each part's own
  std::vector<double> weights_;  // of the rows of one batch
  int total_ = -1;               // the part that is the total loss, if the entry writes one
  int weight_output_ = -1;
  bool weight_is_f64_ = false;
  std::string bad_term_;
};

}  // namespace nnc::runtime
