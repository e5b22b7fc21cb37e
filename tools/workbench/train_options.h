// The `train` section of a model file as the runtime reads it.
#pragma once

#include "compiler/language/description.h"
#include "runtime/trainer.h"

namespace nnc::workbench {

// Epochs, batch, seed, schedule, early stopping … `run_folder`, `resume` and `scalars.named` are
// the caller's. The description must have a `train` section.
runtime::TrainOptions train_options(const language::Description& description);

// Rate and schedule of a step: of the only one, or of a phase.
runtime::ScalarOptions step_scalars(const language::Description& description, size_t step);

// The scalars of an entry that are functions of the time alone, by their names: Adam's
// "bias_correction:0.9" is 1 / (1 - 0.9^t) at step t (from 1), "ramp:0:1:10:epochs" goes from 0 to
// 1 in ten epochs.
std::vector<runtime::NamedScalar> named_scalars(const abi::EntryDesc& entry);

}  // namespace nnc::workbench
