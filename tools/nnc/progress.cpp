#include "tools/nnc/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "compiler/support/text.h"
#include "tools/nnc/interrupt.h"
#include "tools/nnc/width.h"
#include "tools/workbench/readable.h"

namespace nnc::tool {

using namespace workbench;

namespace {

std::string right(const std::string& text, size_t width) {
  const auto length = static_cast<size_t>(characters(text));
  return std::string(length < width ? width - length : 0, ' ') + text;
}

constexpr const char* best_mark = "  *";

// The names of the columns: "train: loss", "accuracy", "valid: loss", "accuracy".
std::vector<std::string> headings_of(const std::vector<std::string>& figures, bool has_valid) {
  std::vector<std::string> names = {"epoch"};
  for (const char* split : {"train", "valid"}) {
    if (split == std::string("valid") && !has_valid) continue;
    const size_t first = names.size();
    for (const std::string& figure : figures) names.push_back(figure);
    names[first] = std::string(split) + ": " + names[first];
  }
  names.push_back("time");
  return names;
}

}  // namespace

// Columns wide enough for their headings, with a bar between the splits.
std::string TrainProgress::line_of(const std::vector<std::string>& cells, size_t column) const {
  const size_t valid = has_valid_ ? 1 + figures_.size() : 0;  // its first column
  std::string text = right(cells[0], epoch_width_);
  for (size_t i = 1; i < cells.size(); ++i) {
    const auto heading = static_cast<size_t>(characters(headings_[i]));
    text += (i == valid ? " | " : "  ") + right(cells[i], std::max(column, heading));
  }
  return text;
}

// The widest columns that the terminal has room for; 0: there is none.
size_t TrainProgress::column_that_fits() const {
  for (const size_t column : {size_t{11}, size_t{9}}) {
    const int width = characters(line_of(headings_, column) + best_mark);
    if (width <= terminal_width()) return column;
  }
  return 0;
}

// The same below each other, each number with its name.
std::string TrainProgress::stacked(const std::vector<std::string>& cells) const {
  const std::string margin(epoch_width_ + 2, ' ');
  const size_t valid = has_valid_ ? 1 + figures_.size() : 0, last = cells.size() - 1;
  std::string text = right(cells[0], epoch_width_) + "  ", result;
  for (size_t i = 1; i < last; ++i) {
    if (i == valid) result += std::exchange(text, margin) + "\n";
    text += (i == 1 || i == valid ? "" : ", ") + headings_[i] + " " + cells[i];
  }
  return fitted(result + text + ", " + cells[last]);
}

TrainProgress::TrainProgress(const abi::Program& program, bool has_valid, int64_t epochs,
                             bool quiet)
    : has_valid_(has_valid), quiet_(quiet) {
  if (program.has_total) figures_.push_back("loss");
  const bool several = program.loss_terms.size() > 1 || !program.has_total;
  if (several)
    figures_.insert(figures_.end(), program.loss_terms.begin(), program.loss_terms.end());
  for (const abi::MetricDesc& metric : program.metrics) {
    if (runtime::is_number(metric.finalize)) figures_.push_back(metric.name);
  }
  const size_t digits = std::to_string(std::max<int64_t>(epochs, 1)).size();
  epoch_width_ = std::max<size_t>(6, 2 * digits + 2);
  headings_ = headings_of(figures_, has_valid_);
  column_ = column_that_fits();
}

void TrainProgress::print_headings() {
  if (column_ > 0) print_progress("{}\n", styled(line_of(headings_, column_), Style::bold));
  headed_ = true;
}

std::vector<std::string> TrainProgress::cells(const runtime::EpochReport& report) const {
  std::vector<std::string> result = {fmt::format("{}/{}", report.epoch, report.epochs)};
  const auto add = [&](const runtime::Metrics& metrics) {
    for (const std::string& name : figures_) result.push_back(loss_text(metrics.value(name)));
  };
  add(report.train);
  if (has_valid_) add(report.valid);
  result.push_back(duration_text(report.seconds));
  return result;
}

void TrainProgress::on_epoch(const runtime::EpochReport& report) {
  went_on_ = true;
  if (quiet_) return;
  line_.clear();
  // Of many epochs about twenty are shown; metrics.jsonl has them all.
  const int64_t every = report.epochs <= 30 ? 1 : report.epochs / 20;
  skipped_ = report.epoch % every != 0 && report.epoch != 1 && report.epoch != report.epochs;
  if (skipped_) {
    last_ = report;
  } else {
    print_row(report);
  }
  marked_ |= !skipped_ && report.improved && has_valid_;
}

void TrainProgress::finish() {
  line_.clear();
  if (skipped_) print_row(last_);
  marked_ |= skipped_ && last_.improved && has_valid_;
  skipped_ = false;
  if (marked_) std::fputs("  * best so far\n", stdout);
}

void TrainProgress::print_row(const runtime::EpochReport& report) {
  if (!headed_) print_headings();
  const std::string mark = report.improved && has_valid_ ? best_mark : "";
  const std::vector<std::string> shown = cells(report);
  const std::string line = column_ > 0 ? line_of(shown, column_) : stacked(shown);
  print_progress("{}{}\n", line, mark);
  flush_output();
}

void TrainProgress::on_progress(const runtime::ProgressReport& report) {
  if (quiet_ || report.step == 0) return;
  const double done = static_cast<double>(report.step) / static_cast<double>(report.total_steps);
  const double left = report.seconds / done - report.seconds;
  line_.show(fmt::format("epoch {}/{}  batch {}/{}  {}{:.0f} %, {} left", report.epoch,
                         report.epochs, report.batch, report.batches,
                         std::isnan(report.loss) ? "" : "loss " + loss_text(report.loss) + "  ",
                         done * 100, time_left_text(left)));
}

bool TrainProgress::should_stop() { return interrupted(); }

std::string metrics_text(const runtime::Metrics& metrics) {
  const bool total = !std::isnan(metrics.loss) || metrics.terms.empty();
  std::string text = total ? fmt::format("loss {}", loss_text(metrics.loss)) : "";
  if (metrics.terms.size() > 1 || !total) {
    for (const auto& [name, value] : metrics.terms) {
      text += fmt::format("{}{} {}", text.empty() ? "" : "   ", name, loss_text(value));
    }
  }
  for (const auto& [name, value] : metrics.metrics) {
    text += fmt::format("   {} {}", name, loss_text(value));
  }
  return text;
}

}  // namespace nnc::tool
