// Kernel IR printed as LLVM IR: a straight translation, one instruction after the other. Nothing is
// optimised, contracted or reassociated here, so that both printers compute the same bits.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/kernel/kernel.h"
#include "compiler/kernel/target.h"

namespace llvm {
class LLVMContext;
class Module;
}  // namespace llvm

namespace nnc::codegen {

// How functions that are not exported are linked: local to one object, or seen by the other
// objects of the same program (when its functions are spread over several modules).
enum class Linkage { local, hidden };

// From the name in a call to the function that is called, so that equal functions may share one
// body.
using Callees = std::unordered_map<std::string, const kernel::Function*>;
Callees callees_of(const kernel::Module& module);  // every function by its own name

// Prints `functions` into one LLVM module; functions that they call and that are not among them
// become declarations. Throws InternalError if a call names an unknown function.
std::unique_ptr<llvm::Module> print_llvm(const std::vector<const kernel::Function*>& functions,
                                         const Callees& callees, const kernel::Target& target,
                                         Linkage linkage, llvm::LLVMContext& context);

// The triple and the processor level that code for this instruction set is compiled for.
const char* triple_of(kernel::Isa isa);
const char* processor_of(kernel::Isa isa);

}  // namespace nnc::codegen
