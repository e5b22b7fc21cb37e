// Equal functions are compiled once: which function stands for which.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/codegen/llvm_printer.h"
#include "compiler/kernel/kernel.h"
#include "compiler/kernel/target.h"

namespace nnc::jit {

struct Merged {
  std::vector<const kernel::Function*> distinct;  // in the module's order
  codegen::Callees callees;  // every name of the module -> the function that stands for it
  bool quick = false;        // without the passes that cost more than they save
};

// Functions that are not exported and compute the same become one.
Merged merge(const kernel::Module& module);

// Distributes functions over at most `parts` groups of about equal compile time.
std::vector<std::vector<const kernel::Function*>> balance(
    const std::vector<const kernel::Function*>& functions, const kernel::Target& target, int parts);

}  // namespace nnc::jit
