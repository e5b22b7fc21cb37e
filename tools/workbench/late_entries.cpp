#include "tools/workbench/late_entries.h"

#include "runtime/threads.h"
#include "tools/workbench/train_options.h"

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

std::vector<runtime::StepCall> step_calls(CompiledModel& compiled,
                                          const language::Description& description) {
  std::vector<runtime::StepCall> calls;
  for (const abi::EntrySpec& spec : compiled.program().entries) {
    if (spec.kind != abi::EntryKind::step) continue;
    runtime::StepCall call{&compiled.entry(spec.name), spec.calls,
                           step_scalars(description, calls.size())};
    call.scalars->named = named_scalars(*call.entry);
    calls.push_back(std::move(call));
  }
  return calls;
}

runtime::TrainEntries train_entries(CompiledModel& compiled,
                                    const language::Description& description) {
  runtime::TrainEntries entries;
  entries.steps = step_calls(compiled, description);
  entries.complete = [&compiled](runtime::TrainEntries& late) {
    if (compiled.has_entry("evaluate")) late.evaluate = &compiled.entry("evaluate");
    if (compiled.has_entry("prelude")) late.prelude = &compiled.entry("prelude");
  };
  return entries;
}

}  // namespace nnc::workbench
