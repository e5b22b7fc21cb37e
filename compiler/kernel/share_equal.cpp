#include "compiler/kernel/share_equal.h"

#include <unordered_map>

#include "compiler/kernel/canonical.h"

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

void share_equal(Module& module) {
  Names instead, seen;  // a function's name, its code -> the name of the first one like it
  const auto same = [](const std::string& name) -> const std::string& { return name; };
  std::erase_if(module.functions, [&](const std::unique_ptr<Function>& function) {
    rename_calls(function->body, instead);  // callees come before callers
    if (function->exported) return false;
    const auto [first, fresh] = seen.emplace(encode(*function, same), function->name);
    if (!fresh) instead.emplace(function->name, first->second);
    return !fresh;
  });
}

}  // namespace nnc::kernel
