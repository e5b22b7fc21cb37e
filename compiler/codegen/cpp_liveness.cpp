#include "compiler/codegen/cpp_liveness.h"

#include <algorithm>

namespace nnc::codegen {

using kernel::Block;
using kernel::Function;
using kernel::Instruction;
using kernel::Op;
using kernel::Value;

namespace {

// The operands whose values matter: a shuffle may pick lanes of one of its two only.
std::vector<Value> operands_read(const Instruction& instruction) {
  if (instruction.op != Op::shuffle) return instruction.operands;
  std::vector<Value> read;
  for (int which : {0, 1}) {
    const Value operand = instruction.operands[static_cast<size_t>(which)];
    const auto& map = instruction.lane_map;
    if (std::any_of(map.begin(), map.end(),
                    [&](int lane) { return lane / operand.type.lanes == which; })) {
      read.push_back(operand);
    }
  }
  return read;
}

}  // namespace

CppLiveness::CppLiveness(const Function& function)
    : needed_(static_cast<size_t>(function.next_id)), uses_(static_cast<size_t>(function.next_id)) {
  // A carried value may become needed by a use that stands before its yield: until nothing changes.
  while (visit(function.body)) {
  }
  count(function.body);
}

bool CppLiveness::mark(Value value) {
  if (needed(value)) return false;
  needed_[static_cast<size_t>(value.id)] = true;
  return true;
}

bool CppLiveness::has_effect(const Instruction& instruction) {
  switch (instruction.op) {
    case Op::store:
    case Op::prefetch:
    case Op::call: return true;
    case Op::loop:
    case Op::branch: {
      const auto any = [](const std::unique_ptr<Block>& block) {
        return block &&
               std::any_of(block->instructions.begin(), block->instructions.end(), has_effect);
      };
      return any(instruction.body) || any(instruction.other);
    }
    default: return false;  // a barrier too: one thread waits for nobody
  }
}

bool CppLiveness::needed(const Instruction& instruction) const {
  if (has_effect(instruction)) return true;
  for (Value result : instruction.results) {
    if (needed(result)) return true;
  }
  return false;
}

bool CppLiveness::visit(const Block& block) {
  bool changed = false;
  for (auto it = block.instructions.rbegin(); it != block.instructions.rend(); ++it) {
    if (needed(*it)) changed |= visit(*it);
  }
  return changed;
}

bool CppLiveness::visit(const Instruction& instruction) {
  bool changed = false;
  const auto& operands = instruction.operands;
  if (instruction.op == Op::loop) {
    for (size_t i = 0; i < 3; ++i) changed |= mark(operands[i]);
    for (size_t i = 0; i < instruction.results.size(); ++i) {
      const Value param = instruction.body->params[i + 1];
      if (!needed(instruction.results[i]) && !needed(param)) continue;
      changed |= mark(instruction.results[i]);
      changed |= mark(param);
      changed |= mark(operands[i + 3]);
      changed |= mark(instruction.body->yields[i]);
    }
  } else {
    for (Value operand : operands_read(instruction)) changed |= mark(operand);
  }
  for (const Block* block : {instruction.body.get(), instruction.other.get()}) {
    if (!block) continue;
    if (instruction.op == Op::branch) {
      for (size_t i = 0; i < block->yields.size(); ++i) {
        if (needed(instruction.results[i])) changed |= mark(block->yields[i]);
      }
    }
    changed |= visit(*block);
  }
  return changed;
}

void CppLiveness::count(const Block& block) {
  for (const Instruction& instruction : block.instructions) {
    if (!needed(instruction)) continue;
    for (Value operand : operands_read(instruction)) ++uses_[static_cast<size_t>(operand.id)];
    if (instruction.body) count(*instruction.body);
    if (instruction.other) count(*instruction.other);
  }
  for (Value value : block.yields) ++uses_[static_cast<size_t>(value.id)];
}

}  // namespace nnc::codegen
