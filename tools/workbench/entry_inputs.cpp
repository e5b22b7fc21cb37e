#include "tools/workbench/entry_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/support/text.h"
#include "tools/workbench/error.h"

namespace nnc::workbench {

namespace {

const runtime::FieldInfo* find_field(const Trained& trained, const std::string& name) {
  for (const runtime::FieldInfo& field : trained.fields)
    if (field.name == name) return &field;
  return nullptr;
}

// A value of the model as if it were a field: numbers of its shape that nothing prepares.
runtime::FieldInfo cut_value(const abi::InputDesc& input) {
  runtime::FieldInfo field;
  field.name = input.name;
  field.dtype = input.dtype;
  field.row_shape = input.row_shape;
  return field;
}

}  // namespace

std::vector<std::string> EntryInputs::names() const {
  std::vector<std::string> names;
  for (const runtime::FieldInfo& field : fields) names.push_back(field.name);
  return names;
}

EntryInputs inputs_of(const Trained& trained, const abi::EntryDesc& entry) {
  EntryInputs result;
  if (entry.name == "predict") {
    result.owner = "model";
    for (const Name& name : trained.model.description.model.inputs)
      if (const auto* field = find_field(trained, name.text)) result.fields.push_back(*field);
    return result;
  }
  result.owner = "function " + in_quotes(entry.name);
  for (const abi::InputDesc& input : entry.inputs) {
    const runtime::FieldInfo* field = find_field(trained, input.name);
    result.fields.push_back(field != nullptr ? *field : cut_value(input));
  }
  return result;
}

std::vector<std::string> functions_of(const CompiledModel& compiled) {
  std::vector<std::string> names;
  for (const abi::EntrySpec& entry : compiled.program().entries)
    if (entry.kind == abi::EntryKind::predict || entry.kind == abi::EntryKind::function)
      names.push_back(entry.name);
  return names;
}

std::vector<std::string> chosen_functions(const std::vector<std::string>& names,
                                          const CompiledModel& compiled) {
  std::set<std::string> wanted;
  for (const std::string& name : names) wanted.insert(function_called(name, compiled));
  std::vector<std::string> result;
  for (const std::string& name : functions_of(compiled))
    if (names.empty() || wanted.count(name) > 0) result.push_back(name);
  return result;
}

std::string function_called(const std::string& name, const CompiledModel& compiled) {
  const std::vector<std::string> known = functions_of(compiled);
  const std::string wanted = name.empty() ? "predict" : name;
  if (std::find(known.begin(), known.end(), wanted) != known.end()) return wanted;
  if (name.empty())
    throw WorkError(Fault::request, "the model has no outputs to predict",
                    "--function, one of " + join(known));
  throw WorkError(Fault::request,
                  fmt::format("--function: the model has no function {}", in_quotes(name)),
                  known.size() == 1 ? "it has none but " + known[0] : "one of " + join(known));
}

}  // namespace nnc::workbench
