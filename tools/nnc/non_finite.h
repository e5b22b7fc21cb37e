// The search for the first op that went wrong when a loss is not a finite number.
#pragma once

#include "compiler/compile.h"
#include "runtime/trainer.h"

namespace nnc::tool {

// Brings the weights to where they were before the step that failed, runs that step's graph op by
// op with the reference evaluator, and prints the step, the loss term, the row, and the op that
// made the first number which is none, at its line of the model file (culprit.h).
// `state`: the initial values (see initial_state).
void explain_non_finite(const runtime::NonFinite& details, CompiledModel& compiled,
                        const runtime::TrainEntries& entries, const runtime::Dataset& data,
                        const runtime::TrainOptions& options, runtime::Buffer state,
                        runtime::ThreadPool& pool, const language::Description& description);

// Prints which weight stopped being a number although the losses were some.
void explain_non_finite(const runtime::NonFiniteWeight& error);

}  // namespace nnc::tool
