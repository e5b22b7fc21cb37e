// Which instructions of a kernel the C++ text needs: warnings are errors for its users too, and a
// value that nobody reads is one.
#pragma once

#include <vector>

#include "compiler/kernel/kernel.h"

namespace nnc::codegen {

class CppLiveness {
 public:
  explicit CppLiveness(const kernel::Function& function);

  bool needed(kernel::Value value) const { return needed_[static_cast<size_t>(value.id)]; }
  // True if the instruction has an effect (a store, a call …) or a result that is needed.
  bool needed(const kernel::Instruction& instruction) const;
  // How often a value is an operand of a needed instruction, or yielded and needed.
  int uses(kernel::Value value) const { return uses_[static_cast<size_t>(value.id)]; }

 private:
  bool mark(kernel::Value value);
  bool visit(const kernel::Block& block);
  bool visit(const kernel::Instruction& instruction);
  void count(const kernel::Block& block);
  static bool has_effect(const kernel::Instruction& instruction);

  std::vector<bool> needed_;
  std::vector<int> uses_;
};

}  // namespace nnc::codegen
