// What `nnc train` says while it runs: one line for each epoch, and on terminals a line with the
// time left.
#pragma once

#include <string>
#include <vector>

#include "runtime/trainer.h"
#include "tools/nnc/terminal.h"

namespace nnc::tool {

class TrainProgress : public runtime::Observer {
 public:
  // `metrics`: names of the columns besides the loss. `quiet`: says nothing at all.
  TrainProgress(const abi::Program& program, bool has_valid, int64_t epochs, bool quiet);

  void on_epoch(const runtime::EpochReport& report) override;
  void on_progress(const runtime::ProgressReport& report) override;
  bool should_stop() override;
  // Training is over, as planned or not: its last epoch is shown in any case.
  void finish();
  // Whether an epoch was finished.
  bool went_on() const { return went_on_; }

 private:
  void print_headings();
  void print_row(const runtime::EpochReport& report);
  std::vector<std::string> cells(const runtime::EpochReport& report) const;
  std::string line_of(const std::vector<std::string>& cells, size_t column) const;
  size_t column_that_fits() const;
  std::string stacked(const std::vector<std::string>& cells) const;

  std::vector<std::string> figures_, headings_;
  bool has_valid_;
  bool quiet_;
  bool headed_ = false;
  bool went_on_ = false;
  bool skipped_ = false;  // whether the last epoch, `last_`, has not been shown
  bool marked_ = false;   // whether a row that was shown has the mark of the best so far
  runtime::EpochReport last_;
  size_t epoch_width_, column_ = 0;
  ProgressLine line_;
};

// "loss 0.3421   accuracy 0.8812" of an evaluation.
std::string metrics_text(const runtime::Metrics& metrics);

}  // namespace nnc::tool
