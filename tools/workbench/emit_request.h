// What an emitted header or object is made of: the trained model, put into codegen's terms.
#pragma once

#include <string>
#include <vector>

#include "compiler/codegen/emit.h"
#include "compiler/compile.h"
#include "tools/workbench/emit_levels.h"
#include "tools/workbench/trained.h"

namespace nnc::workbench {

struct EmitChoices {
  std::string name;  // of the namespace; empty: the model's
  codegen::EmitWeights weights = codegen::EmitWeights::header;
  bool self_test = false;  // with rows of data and the answers to them
};

// Without training; inputs are floats where those tell the raw numbers apart. `functions`: those
// that are emitted, for whose weights there is room at the begin; empty: all.
CompileOptions emit_options(const std::vector<std::string>& functions);

// Of entries that were lowered, in this order.
codegen::EmitRequest emit_request(const Trained& trained, CompiledModel& compiled,
                                  const std::vector<EmitLevels>& functions,
                                  const EmitChoices& choices);

}  // namespace nnc::workbench
