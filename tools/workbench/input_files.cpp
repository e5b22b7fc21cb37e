#include "tools/workbench/input_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "compiler/support/text.h"
#include "tools/workbench/error.h"

namespace nnc::workbench {

namespace {

// The = of INPUT=FILE. A file may have one in its name: it is a file if it is there and the word
// before the = is no input.
size_t equals_in(const std::string& argument, const EntryInputs& inputs) {
  const size_t equals = argument.find('=');
  if (equals == std::string::npos) return equals;
  const std::string name = argument.substr(0, equals);
  std::error_code error;
  const bool is_input = std::any_of(inputs.fields.begin(), inputs.fields.end(),
                                    [&](const auto& input) { return input.name == name; });
  if (!is_input && std::filesystem::exists(argument, error)) return std::string::npos;
  return equals;
}

const runtime::FieldInfo* find_input(const EntryInputs& inputs, const std::string& name) {
  for (const runtime::FieldInfo& input : inputs.fields)
    if (input.name == name) return &input;
  throw WorkError(Fault::request, fmt::format("--in: the {} has no input '{}'", inputs.owner, name),
                  "its inputs are " + join(inputs.names()));
}

// Each input has files, and standard input is read once.
void check(const std::vector<InputGroup>& groups, const EntryInputs& inputs) {
  std::vector<std::string> missing = inputs.names();
  int streams = 0;
  for (const InputGroup& group : groups) {
    for (const runtime::FieldInfo* input : group.inputs) std::erase(missing, input->name);
    streams += static_cast<int>(std::count(group.paths.begin(), group.paths.end(), "-"));
  }
  if (!missing.empty()) {
    throw WorkError(Fault::request, "--in: no file for " + join(missing),
                    fmt::format("--in {}=FILE", missing[0]));
  }
  if (streams > 1)
    throw WorkError(Fault::request, "--in: standard input can be read once only", "one `-`");
}

}  // namespace

std::vector<InputGroup> input_groups(const std::vector<std::string>& arguments,
                                     const EntryInputs& inputs) {
  InputGroup all;
  for (const runtime::FieldInfo& input : inputs.fields) all.inputs.push_back(&input);
  std::vector<InputGroup> named;
  for (const std::string& argument : arguments) {
    const size_t equals = equals_in(argument, inputs);
    if (equals == std::string::npos) {
      all.paths.push_back(argument);
      continue;
    }
    const runtime::FieldInfo* input = find_input(inputs, argument.substr(0, equals));
    const std::string path = argument.substr(equals + 1);
    if (inputs.fields.size() == 1) {  // which may be named or not
      all.paths.push_back(path);
      continue;
    }
    auto group = std::find_if(named.begin(), named.end(),
                              [&](const InputGroup& g) { return g.inputs[0] == input; });
    if (group == named.end()) group = named.insert(named.end(), InputGroup{{input}, {}});
    group->paths.push_back(path);
  }
  if (!all.paths.empty() && !named.empty()) {
    throw WorkError(Fault::request, "--in: some files have the name of an input, others have none",
                    fmt::format("--in {}={}", inputs.names()[0], all.paths[0]));
  }
  if (!all.paths.empty()) named.push_back(std::move(all));
  check(named, inputs);
  return named;
}

}  // namespace nnc::workbench
