// Equal functions are compiled once: which function stands for which, and the cache key that
// follows from the same canonical form.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/codegen/llvm_printer.h"
#include "compiler/kernel/kernel.h"
#include "compiler/kernel/target.h"

namespace nnc::jit {

using Key = std::array<uint8_t, 32>;

struct Merged {
  std::vector<const kernel::Function*> distinct;  // in the module's order
  codegen::Callees callees;  // every name of the module -> the function that stands for it
  bool quick = false;        // without the passes that cost more than they save
  Key key;                   // hash of this and the canonical form of all distinct functions
};

// Functions that are not exported and compute the same become one.
Merged merge(const kernel::Module& module);

// `key` made to depend on the target, the version of LLVM and the build of nnc, too: everything
// that decides about the machine code.
Key cache_key(const Key& key, const kernel::Target& target);

// Distributes functions over at most `parts` groups of about equal compile time.
std::vector<std::vector<const kernel::Function*>> balance(
    const std::vector<const kernel::Function*>& functions, const kernel::Target& target, int parts);

}  // namespace nnc::jit
