// A trained model, opened again: from a run folder, or from a model file with nothing to train.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/memory.h"
#include "tools/workbench/job.h"
#include "tools/workbench/run.h"

namespace nnc::workbench {

struct Trained {
  std::string folder;  // of the run; empty for a model file
  Model model;
  Manifest manifest;
  std::vector<runtime::FieldInfo> fields;  // as compiled
  bool knows_units = true;  // false: of a version whose predictions were in prepared units
};

// Reads the model of a run. A model file is opened as it is (its fields are probed). `overrides`
// change what it says. The words that `category` fields have learned are put back.
Trained open_trained(const std::string& run_or_file,
                     const std::vector<std::string>& overrides = {});

// The weights of the run; the initial values of a model file with nothing to train, WorkError
// for one that has to be trained first.
runtime::Buffer trained_state(const Trained& trained, const CompiledModel& compiled);

// The words of the field that losses or metrics compare with, where exactly one of them has that
// many classes. Empty if there is none or it has no words.
std::vector<std::string> class_words(const Trained& trained, int64_t classes);

// What is known of the outputs of "predict" or a function.
const std::vector<assemble::OutputInfo>& outputs_of(const CompiledModel& compiled,
                                                    const std::string& entry);
// The words for the elements of an output, if it is scores of a field's classes; else empty.
std::vector<std::string> output_words(const Trained& trained, const CompiledModel& compiled,
                                      const std::string& entry, const std::string& output);

// A note where the run is of a version that predicted prepared values.
void note_units(const Trained& trained, const CompiledModel& compiled);

}  // namespace nnc::workbench
