// Where the assembler of a target may put jumps.
#pragma once

#include <llvm/MC/TargetRegistry.h>

namespace nnc::jit {

// The x86-64 target as it is or, for Intel's cores, one whose assembler puts no jump where it
// crosses or ends at a multiple of 32 bytes. Both may be used side by side, from any thread.
const llvm::Target& x86_target(const llvm::Target& registered, bool avoid_crossing_jumps);

}  // namespace nnc::jit
