#include "compiler/jit/machine.h"

#include <llvm/IR/DiagnosticHandler.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>

#include <mutex>

#include "compiler/codegen/llvm_printer.h"
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

}  // namespace

std::unique_ptr<llvm::TargetMachine> make_machine(kernel::Isa isa) {
  initialize(isa);
  const char* triple = codegen::triple_of(isa);
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  internal_check(target != nullptr, "no LLVM target " + error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  auto* machine = target->createTargetMachine(triple, codegen::processor_of(isa), "", options,
                                              llvm::Reloc::PIC_, llvm::CodeModel::Small,
                                              llvm::CodeGenOptLevel::Default);
  internal_check(machine != nullptr, "no LLVM target machine");
  return std::unique_ptr<llvm::TargetMachine>(machine);
}

llvm::SmallVector<char, 0> generate(llvm::Module& module, llvm::TargetMachine& machine,
                                    Output output, std::map<std::string, uint64_t>& stack_bytes) {
  module.getContext().setDiagnosticHandler(std::make_unique<FrameCollector>(stack_bytes));
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  const auto type = output == Output::object ? llvm::CodeGenFileType::ObjectFile
                                             : llvm::CodeGenFileType::AssemblyFile;
  constexpr bool disable_verify = true;
  internal_check(!machine.addPassesToEmitFile(passes, stream, nullptr, type, disable_verify),
                 "LLVM cannot emit this kind of file");
  passes.run(module);
  return bytes;
}

}  // namespace nnc::jit
