// What a model can be asked to do: its entries, derived from the description. The compiler builds
// them by this list, the runtime finds them by their kinds (abi::EntrySpec).
#pragma once

#include <string>
#include <vector>

#include "compiler/language/description.h"
#include "compiler/layers/layer.h"
#include "runtime/abi.h"

namespace nnc::assemble {

// An entry and where in the description it comes from.
struct EntryPlan {
  abi::EntrySpec spec;
  layers::Mode mode = layers::Mode::predict;
  const language::Phase* phase = nullptr;        // of a step; null: the only one
  const language::Function* function = nullptr;  // of a function
  // Of a step: loss terms whose values it writes; metrics are written by the first.
  std::vector<std::string> reports = {};
  bool is_first = true;
};

// Steps, in the order in which they are taken.
std::vector<EntryPlan> step_entries(const language::Description& description);
// Whether the terms add up to one number that training minimises.
bool has_total(const language::Description& description);
EntryPlan evaluate_entry();
EntryPlan predict_entry();
std::vector<EntryPlan> function_entries(const language::Description& description);

}  // namespace nnc::assemble
