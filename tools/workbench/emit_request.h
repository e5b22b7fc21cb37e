// What an emitted header or object is made of: the trained model, put into codegen's terms.
#pragma once

#include <string>

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

// Without training; inputs are floats where those tell the raw numbers apart.
CompileOptions emit_options();

codegen::EmitRequest emit_request(const Trained& trained, CompiledModel& compiled,
                                  const EmitLevels& levels, const EmitChoices& choices);

}  // namespace nnc::workbench
