// What all work begins with: reading a model file, looking at its data, compiling it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/compile.h"
#include "compiler/language/description.h"
#include "runtime/data/spec.h"
#include "runtime/threads.h"

namespace nnc::workbench {

struct Model {
  language::Description description;
  runtime::DataSpec data;
};

// A model file and what is changed in it (`--set`).
struct ModelChoices {
  std::string file;
  std::vector<std::string> overrides;
};

// How the model is compiled.
struct CompileChoices {
  int threads = 0;  // 0: the cores that this process may use
  std::string isa;  // empty: the best of this machine
  bool no_cache = false;
};

// Reads and checks a model file. The reporter is told of mistakes; Reported if they are errors.
Model read_model(const std::string& file, const std::vector<std::string>& overrides);
// The same from a text; relative paths in `overrides` start at the folder of `path`.
Model read_model_text(std::string text, const std::string& path,
                      const std::vector<std::string>& overrides);

// What the fields are, from the headers of the data files. DataError.
std::vector<runtime::FieldInfo> probe_fields(const Model& model);

CompileOptions compile_options(const CompileChoices& choices);

// Compiles; mistakes are as above. With to_run, code that this machine cannot run is refused
// (WorkError).
std::unique_ptr<CompiledModel> compile_model(const Model& model,
                                             const std::vector<runtime::FieldInfo>& fields,
                                             const CompileOptions& options, bool to_run = true);

// The threads asked for, or the cores there are; warns above that.
int threads_of(const CompileChoices& choices);
// Warns where the system has started fewer of them.
void check_started(const runtime::ThreadPool& pool, int wanted);

// "784-128-128-10": the widths from the input through the layers with weights, for headers; empty
// if too long.
std::string sketch(const Model& model, const CompiledModel& compiled,
                   const std::vector<runtime::FieldInfo>& fields);

}  // namespace nnc::workbench
