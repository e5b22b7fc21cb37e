// What compiling took: the time of each thread, cut into phases without gaps.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "compiler/compile.h"

namespace nnc {

// The timings of a model, to which several threads add.
class TimingRecord {
 public:
  void add(PhaseTime phase);
  // The first entry that was made callable decides.
  void set_from_cache(bool from_cache);
  CompileTimings get() const;

 private:
  mutable std::mutex mutex_;
  CompileTimings timings_;
  bool cache_known_ = false;
};

class Laps {
 public:
  // `entry`: what all the phases belong to. Begins now.
  Laps(TimingRecord& record, std::string entry);

  // What passed since the last lap was this.
  void lap(Stage stage, const std::string& name, std::optional<bool> changed = {});
  // Some of the time since the last lap, of which somebody else knows how long it was.
  void part(Stage stage, const std::string& name, double milliseconds);

 private:
  TimingRecord& record_;
  const std::string entry_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace nnc
