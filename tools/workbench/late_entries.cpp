#include "tools/workbench/late_entries.h"

#include "runtime/threads.h"

namespace nnc::workbench {

LateEntries::LateEntries(CompiledModel& compiled, const std::vector<std::string>& names) {
  std::vector<std::string> wanted;
  for (const std::string& name : names) {
    if (!compiled.has_entry(name)) continue;
    compiled.planned_entry(name);
    wanted.push_back(name);
  }
  ready_ = runtime::in_background([this, &compiled, wanted] {
    try {
      for (const std::string& name : wanted) compiled.entry(name);
    } catch (...) {
      failed_.store(true, std::memory_order_relaxed);
      throw;
    }
  });
}

runtime::TrainEntries train_entries(CompiledModel& compiled) {
  runtime::TrainEntries entries;
  entries.step = &compiled.entry("step");
  entries.complete = [&compiled](runtime::TrainEntries& late) {
    if (compiled.has_entry("evaluate")) late.evaluate = &compiled.entry("evaluate");
    if (compiled.has_entry("prelude")) late.prelude = &compiled.entry("prelude");
  };
  return entries;
}

}  // namespace nnc::workbench
