#include "compiler/jit/jump_places.h"

#include <llvm/MC/MCAsmBackend.h>
#include <llvm/Support/CommandLine.h>

#include <mutex>

#include "compiler/support/diagnostics.h"

namespace nnc::jit {

namespace {

// Since an erratum was mended, Intel's cores of that time do not keep decoded the 32 bytes around a
// jump that crosses or ends at a multiple of 32 (Intel, "Mitigations for Jump Conditional Code
// Erratum", 2019): short loops then run at two thirds of their speed. LLVM's assembler can avoid
// such places, but the one thing that tells it so is an option of the whole process, which it reads
// when an assembler is made. So the option is set only while one is made for these cores: whatever
// else the process compiles, before or after, stays as it is.
llvm::cl::opt<bool>& option() {
  auto& options = llvm::cl::getRegisteredOptions();
  const auto found = options.find("x86-branches-within-32B-boundaries");
  internal_check(found != options.end(), "LLVM has no option for the places of jumps");
  return *static_cast<llvm::cl::opt<bool>*>(found->second);
}

llvm::MCAsmBackend* make_assembler(bool avoid, const llvm::MCSubtargetInfo& subtarget,
                                   const llvm::MCRegisterInfo& registers,
                                   const llvm::MCTargetOptions& options) {
  static std::mutex making;  // nobody of ours reads the option while it is set
  std::lock_guard lock(making);
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget("x86_64", error);
  internal_check(target != nullptr, "no LLVM target " + error);
  const bool before = option().getValue();
  option().setValue(before || avoid);
  llvm::MCAsmBackend* assembler = target->createMCAsmBackend(subtarget, registers, options);
  option().setValue(before);
  return assembler;
}

template <bool avoid>
llvm::MCAsmBackend* make(const llvm::Target&, const llvm::MCSubtargetInfo& subtarget,
                         const llvm::MCRegisterInfo& registers,
                         const llvm::MCTargetOptions& options) {
  return make_assembler(avoid, subtarget, registers, options);
}

// A target of ours beside the registered one: LLVM knows nothing of it.
llvm::Target with_assembler(const llvm::Target& registered,
                            llvm::Target::MCAsmBackendCtorTy assembler) {
  llvm::Target target = registered;
  llvm::TargetRegistry::RegisterMCAsmBackend(target, assembler);
  return target;
}

}  // namespace

const llvm::Target& x86_target(const llvm::Target& registered, bool avoid_crossing_jumps) {
  static const llvm::Target avoids = with_assembler(registered, make<true>);
  static const llvm::Target common = with_assembler(registered, make<false>);
  return avoid_crossing_jumps ? avoids : common;
}

}  // namespace nnc::jit
