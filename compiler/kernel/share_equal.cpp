#include "compiler/kernel/share_equal.h"

#include "compiler/kernel/canonical.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

namespace {

using Names = std::unordered_map<std::string, std::string>;

void rename_calls(Block& block, const Names& instead) {
  for (Instruction& instruction : block.instructions) {
    if (const auto found = instead.find(instruction.callee); found != instead.end())
      instruction.callee = found->second;
    if (instruction.body) rename_calls(*instruction.body, instead);
    if (instruction.other) rename_calls(*instruction.other, instead);
  }
}

}  // namespace

std::unordered_map<std::string, const Function*> representatives(const Module& module) {
  std::unordered_map<std::string, const Function*> result, seen;  // by name, by code
  const auto name_of_callee = [&](const std::string& name) -> const std::string& {
    const auto found = result.find(name);
    internal_check(found != result.end(), "kernel " + name + " is called but not defined");
    return found->second->name;
  };
  for (const auto& function : module.functions) {
    const Function* first = function.get();
    if (!function->exported)
      first = seen.emplace(encode(*function, name_of_callee), first).first->second;
    internal_check(result.emplace(function->name, first).second,
                   "two kernels are named " + function->name);
  }
  return result;
}

void share_equal(Module& module) {
  Names instead;
  for (const auto& [name, first] : representatives(module))
    if (first->name != name) instead.emplace(name, first->name);
  std::erase_if(module.functions, [&](const std::unique_ptr<Function>& function) {
    return instead.count(function->name) > 0;
  });
  for (const auto& function : module.functions) rename_calls(function->body, instead);
}

}  // namespace nnc::kernel
