#include "compiler/jit/machine.h"

#include <llvm/IR/DiagnosticHandler.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Pass.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <set>
#include <string_view>

#include "compiler/codegen/llvm_printer.h"
#include "compiler/jit/jit.h"
#include "compiler/jit/jump_places.h"
#include "compiler/support/diagnostics.h"

namespace nnc::jit {

namespace {

void initialize_x86() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
}

void initialize_aarch64() {
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmPrinter();
}

void initialize(kernel::Isa isa) {
  static std::once_flag x86, aarch64;
  static std::mutex registry;  // LLVM's registry of targets is a plain list
  std::lock_guard lock(registry);
  isa == kernel::Isa::neon ? std::call_once(aarch64, initialize_aarch64)
                           : std::call_once(x86, initialize_x86);
}

// Collects the stack frames that the code generator reports (attribute "warn-stack-size"); what
// else it has to say is a bug of the printer.
class FrameCollector : public llvm::DiagnosticHandler {
 public:
  explicit FrameCollector(std::map<std::string, uint64_t>& stack_bytes)
      : stack_bytes_(stack_bytes) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (info.getKind() == llvm::DK_StackSize) {
      const auto& frame = static_cast<const llvm::DiagnosticInfoStackSize&>(info);
      stack_bytes_[frame.getFunction().getName().str()] = frame.getStackSize();
    }
    return true;
  }

 private:
  std::map<std::string, uint64_t>& stack_bytes_;
};

// What the code generator does without if it has to be quick. Loop strength reduction takes a
// quarter of the time and finds little: kernels count what moves in a loop in one index, and
// distances from it are part of the processor's addresses. Without it the scheduler moves the loads
// of a tile together, away from the multiply-adds that use them, and spills for it; kernels say
// their instructions in a good order. Steps run as fast so, prediction is up to 4 % slower. The
// others, a twentieth of the time, find next to nothing in kernels: freeze instructions, constants
// too long for an instruction, calls of a mathematical library, integers that would better be
// masks, values to be brought nearer to their last use, addresses that repeat, loads of less than a
// register.
constexpr std::string_view unhurried[] = {"Loop Strength Reduction",
                                          "Machine Instruction Scheduler",
                                          "Canonicalize Freeze Instructions in Loops",
                                          "Constant Hoisting",
                                          "Replace intrinsics with calls to vector library",
                                          "X86 Domain Reassignment Pass",
                                          "Live Range Shrink",
                                          "X86 LEA Optimize",
                                          "X86 Byte/Word Instruction Fixup"};

class Passes : public llvm::legacy::PassManager {
 public:
  explicit Passes(bool quick) : quick_(quick) {}

  void add(llvm::Pass* pass) override {
    const auto* found =
        quick_ ? std::find(std::begin(unhurried), std::end(unhurried), pass->getPassName().str())
               : std::end(unhurried);
    if (found == std::end(unhurried)) return llvm::legacy::PassManager::add(pass);
    met_.insert(*found);
    delete pass;
  }

  bool met(std::string_view name) const { return met_.count(name) > 0; }

 private:
  const bool quick_;
  std::set<std::string_view> met_;  // of `unhurried`
};

}  // namespace

void throw_when_out_of_memory() {
  llvm::install_bad_alloc_error_handler([](void*, const char*, bool) { throw std::bad_alloc(); });
}

std::unique_ptr<llvm::TargetMachine> make_machine(const kernel::Target& description) {
  const kernel::Isa isa = description.isa;
  initialize(isa);
  const char* triple = codegen::triple_of(isa);
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  internal_check(target != nullptr, "no LLVM target " + error);
  if (isa != kernel::Isa::neon)
    target = &x86_target(*target, description.core == kernel::Core::intel);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  auto* machine = target->createTargetMachine(triple, codegen::processor_of(isa), "", options,
                                              llvm::Reloc::PIC_, llvm::CodeModel::Small,
                                              llvm::CodeGenOptLevel::Default);
  internal_check(machine != nullptr, "no LLVM target machine");
  return std::unique_ptr<llvm::TargetMachine>(machine);
}

llvm::SmallVector<char, 0> generate(llvm::Module& module, llvm::TargetMachine& machine,
                                    Output output, bool quick,
                                    std::map<std::string, uint64_t>& stack_bytes) {
  module.getContext().setDiagnosticHandler(std::make_unique<FrameCollector>(stack_bytes));
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  Passes passes(quick);
  const auto type = output == Output::object ? llvm::CodeGenFileType::ObjectFile
                                             : llvm::CodeGenFileType::AssemblyFile;
  constexpr bool disable_verify = true;
  internal_check(!machine.addPassesToEmitFile(passes, stream, nullptr, type, disable_verify),
                 "LLVM cannot emit this kind of file");
  passes.run(module);
  return bytes;
}

std::vector<std::string> passes_of_other_names(const kernel::Target& description) {
  const auto machine = make_machine(description);
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  Passes passes(true);
  machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile);
  std::vector<std::string> unmet;
  for (const std::string_view name : unhurried)
    if (!passes.met(name)) unmet.emplace_back(name);
  return unmet;
}

}  // namespace nnc::jit
