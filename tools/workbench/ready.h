// What is measured: a model, compiled until its first call could run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/workbench/job.h"

namespace nnc::workbench {

struct ReadyChoices {
  ModelChoices model;
  CompileChoices compile;
  int64_t batch = 0;  // rows of a step; 0: as the file says
};

struct Ready {
  Model model;
  std::vector<runtime::FieldInfo> fields;
  std::unique_ptr<CompiledModel> compiled;
  std::string entry;        // what is timed first: step, or predict where nothing is trained
  double read_ms = 0;       // reading and checking the model file
  double probe_ms = 0;      // headers of the data files
  double milliseconds = 0;  // all of it
};

// Headers of the data files if they are there; else what the model file says.
std::vector<runtime::FieldInfo> fields_of(const Model& model);

// From opening the model file to the first step being ready to run. `cache`: folder of the object
// cache. Mistakes in the file are as in read_model.
Ready make_ready(const ReadyChoices& choices, const std::string& cache);

}  // namespace nnc::workbench
