#include "compiler/assemble/entries.h"

#include <algorithm>
#include <set>

#include "compiler/language/describe.h"

namespace nnc::assemble {

namespace {

using language::Description;
using language::Phase;

bool minimises(const Phase& phase, const std::string& term) {
  const std::vector<Name> names = language::names_in(*phase.minimize.root);
  return std::any_of(names.begin(), names.end(),
                     [&](const Name& name) { return name.text == term; });
}

// Each term is written by the first phase that minimises it; what none minimises by the last,
// which sees what the others made of the weights.
std::vector<std::string> reports_of(const Description& description, size_t phase) {
  const std::vector<Phase>& phases = description.train->phases;
  std::vector<std::string> reports;
  for (const language::Term& term : description.loss->terms) {
    size_t writer = phases.size() - 1;
    for (size_t i = phases.size(); i-- > 0;)
      if (minimises(phases[i], term.name.text)) writer = i;
    if (writer == phase) reports.push_back(term.name.text);
  }
  return reports;
}

}  // namespace

std::vector<EntryPlan> step_entries(const Description& description) {
  using Mode = layers::Mode;
  const bool has_phases = description.train && !description.train->phases.empty();
  if (!has_phases) {
    EntryPlan step{.spec = {"step", abi::EntryKind::step}, .mode = Mode::train};
    if (description.loss)
      for (const language::Term& term : description.loss->terms)
        step.reports.push_back(term.name.text);
    return {step};
  }
  std::vector<EntryPlan> steps;
  for (const Phase& phase : description.train->phases) {
    EntryPlan step{
        .spec = {"step_" + phase.name, abi::EntryKind::step}, .mode = Mode::train, .phase = &phase};
    step.spec.calls = phase.steps.value;
    step.reports = reports_of(description, steps.size());
    step.is_first = steps.empty();
    steps.push_back(std::move(step));
  }
  return steps;
}

bool has_total(const Description& description) {
  const bool has_phases = description.train && !description.train->phases.empty();
  return !has_phases || (description.loss && description.loss->total.has_value());
}

EntryPlan evaluate_entry() {
  return {.spec = {"evaluate", abi::EntryKind::evaluate}, .mode = layers::Mode::eval};
}

EntryPlan predict_entry() {
  return {.spec = {"predict", abi::EntryKind::predict}, .mode = layers::Mode::predict};
}

std::vector<EntryPlan> function_entries(const Description& description) {
  std::vector<EntryPlan> functions;
  for (const language::Function& function : description.functions) {
    functions.push_back({.spec = {function.name.text, abi::EntryKind::function},
                         .mode = layers::Mode::predict,
                         .function = &function});
  }
  return functions;
}

}  // namespace nnc::assemble
