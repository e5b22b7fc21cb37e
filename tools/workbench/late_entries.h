// Entries that the first step does not need: compiled while it runs.
#pragma once

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "compiler/compile.h"
#include "runtime/trainer.h"

namespace nnc::workbench {

class LateEntries {
 public:
  // Plans those of `names` that the model has, so that what a user can do wrong is an error now;
  // then a thread of its own makes their machine code. `compiled` must outlive this.
  LateEntries(CompiledModel& compiled, const std::vector<std::string>& names);
  LateEntries(const LateEntries&) = delete;
  LateEntries& operator=(const LateEntries&) = delete;
  // Waits for the thread.
  ~LateEntries() = default;

  // Returns when all are compiled; throws what went wrong, at every call.
  void wait() const { ready_.get(); }
  // Throws what has gone wrong by now. For loops: one look at a flag.
  void check() const {
    if (failed_.load(std::memory_order_relaxed)) wait();
  }

 private:
  std::atomic<bool> failed_{false};
  std::shared_future<void> ready_;  // last: its destructor waits
};

// The steps of each batch with their rates and schedules. `compiled` must outlive them.
std::vector<runtime::StepCall> step_calls(CompiledModel& compiled,
                                          const language::Description& description);
// What training calls: the steps, and the others when it asks for them.
runtime::TrainEntries train_entries(CompiledModel& compiled,
                                    const language::Description& description);

}  // namespace nnc::workbench
