#include "compiler/jit/merge.h"

#include <algorithm>

#include "compiler/kernel/share_equal.h"

namespace nnc::jit {

using kernel::Function;

namespace {

// What every function costs, in native vector instructions.
constexpr int64_t each_function = 40;

constexpr int shuffled = 2;  // the machine's instruction has to be found

// How long compilation takes, in native vector instructions.
int64_t weight(const kernel::Block& block, const kernel::Target& target) {
  int64_t sum = 0;
  for (const kernel::Instruction& instruction : block.instructions) {
    if (instruction.op == kernel::Op::constant) continue;  // part of what uses it
    const int bytes = instruction.type.lanes * kernel::bytes_of(instruction.type.scalar);
    const int each = instruction.op == kernel::Op::shuffle ? shuffled : 1;
    sum += each * std::max(1, bytes / target.vector_bytes);
    if (!instruction.body) continue;
    sum += weight(*instruction.body, target);
    sum += static_cast<int64_t>(instruction.results.size());  // what a loop carries
    if (instruction.other) sum += weight(*instruction.other, target);
  }
  return sum;
}

}  // namespace

Merged merge(const kernel::Module& module) {
  Merged merged;
  merged.quick = module.waited_for;
  merged.callees = kernel::representatives(module);
  for (const auto& function : module.functions)
    if (merged.callees.at(function->name) == function.get())
      merged.distinct.push_back(function.get());
  return merged;
}

std::vector<std::vector<const Function*>> balance(const std::vector<const Function*>& functions,
                                                  const kernel::Target& target, int parts) {
  std::vector<std::pair<int64_t, const Function*>> heaviest_first;
  for (const Function* function : functions) {
    heaviest_first.emplace_back(each_function + weight(function->body, target), function);
  }
  std::stable_sort(heaviest_first.begin(), heaviest_first.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  const size_t count = std::clamp<size_t>(static_cast<size_t>(std::max(parts, 1)), 1,
                                          std::max<size_t>(functions.size(), 1));
  std::vector<std::vector<const Function*>> groups(count);
  std::vector<int64_t> load(count, 0);
  for (const auto& [cost, function] : heaviest_first) {
    const auto lightest = std::min_element(load.begin(), load.end()) - load.begin();
    groups[lightest].push_back(function);
    load[lightest] += cost;
  }
  return groups;
}

}  // namespace nnc::jit
