// What an entry takes, as files of rows are read for it.
#pragma once

#include <string>
#include <vector>

#include "runtime/abi.h"
#include "tools/workbench/trained.h"

namespace nnc::workbench {

struct EntryInputs {
  std::string owner;                       // for messages: "model", "function 'decode'"
  std::vector<runtime::FieldInfo> fields;  // a value at which a function cuts the graph is one, too
  std::vector<std::string> names() const;
};

// Of "predict" the model's inputs, of a function those that it reads.
EntryInputs inputs_of(const Trained& trained, const abi::EntryDesc& entry);

// The entry that a user's `--function` means; empty: "predict". WorkError for what is none, with
// those that there are.
std::string function_called(const std::string& name, const CompiledModel& compiled);
// All that can be called: "predict" and functions, in the order of the model file.
std::vector<std::string> functions_of(const CompiledModel& compiled);
// Several `--function`, each once, in that order; empty: all.
std::vector<std::string> chosen_functions(const std::vector<std::string>& names,
                                          const CompiledModel& compiled);

}  // namespace nnc::workbench
