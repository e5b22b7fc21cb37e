// LLVM's view of a target, and the two steps from LLVM IR to machine code.
#pragma once

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "compiler/kernel/target.h"

namespace nnc::jit {

enum class Output { object, assembly };

// One per thread that compiles.
std::unique_ptr<llvm::TargetMachine> make_machine(const kernel::Target& description);

// The passes that kernels need: they are explicit vectors in SSA already, what is left to do is to
// share and hoist index arithmetic.
void optimize(llvm::Module& module, llvm::TargetMachine& machine);

// Machine code of a module, ELF or text; `quick`: without the passes that cost more time than they
// save in a program which learns. Functions that have a stack frame are added to `stack_bytes`.
llvm::SmallVector<char, 0> generate(llvm::Module& module, llvm::TargetMachine& machine,
                                    Output output, bool quick,
                                    std::map<std::string, uint64_t>& stack_bytes);

}  // namespace nnc::jit
