// What most commands begin with: reading a model file, looking at its data, compiling it, and
// saying what is wrong with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/compile.h"
#include "compiler/language/description.h"
#include "runtime/data/spec.h"
#include "runtime/threads.h"
#include "tools/nnc/command.h"

namespace nnc::tool {

struct Model {
  language::Description description;
  runtime::DataSpec data;
};

// Reads and checks a model file. Mistakes are printed and end the command (Ended, exit code 2).
Model read_model(const std::string& file, const std::vector<std::string>& overrides);
// The same from a text; relative paths in `overrides` start at the folder of `path`.
Model read_model_text(std::string text, const std::string& path,
                      const std::vector<std::string>& overrides);

// What the fields are, from the headers of the data files. DataError.
std::vector<runtime::FieldInfo> probe_fields(const Model& model);

CompileOptions compile_options(const CompileFlags& flags);

// Compiles; mistakes are printed and end the command. With to_run, code that this machine cannot
// run is refused (CommandError).
std::unique_ptr<CompiledModel> compile_model(const Model& model,
                                             const std::vector<runtime::FieldInfo>& fields,
                                             const CompileOptions& options, bool to_run = true);

// Prints errors and warnings to standard error, with "2 errors" at the end where there are several.
void print_diagnostics(const Diagnostics& diagnostics);

// The threads asked for, or the cores there are; warns above that.
int threads_of(const CompileFlags& flags);
// Warns where the system has started fewer of them.
void check_started(const runtime::ThreadPool& pool, int wanted);

// "784-128-128-10": the widths from the input through the layers with weights, for headers; empty
// if too long.
std::string sketch(const Model& model, const CompiledModel& compiled,
                   const std::vector<runtime::FieldInfo>& fields);

}  // namespace nnc::tool
