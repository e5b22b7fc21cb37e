#include <llvm/IR/LLVMContext.h>
#include <llvm/Support/raw_ostream.h>

#include "compiler/codegen/llvm_printer.h"
#include "compiler/jit/jit.h"
#include "compiler/jit/machine.h"
#include "compiler/jit/merge.h"

namespace nnc::jit {

namespace {

std::unique_ptr<llvm::Module> print(const Merged& merged, const kernel::Target& target,
                                    llvm::TargetMachine& machine, llvm::LLVMContext& context) {
  auto module = codegen::print_llvm(merged.distinct, merged.callees, target,
                                    codegen::Linkage::local, context);
  module->setDataLayout(machine.createDataLayout());
  return module;
}

llvm::SmallVector<char, 0> emit(const kernel::Module& source, const kernel::Target& target,
                                Output output, const AddFunctions& add = {}) {
  llvm::LLVMContext context;
  context.setDiscardValueNames(true);
  auto machine = make_machine(target);
  const Merged merged = merge(source);
  auto module = print(merged, target, *machine, context);
  if (add) add(*module);
  optimize(*module, *machine);
  std::map<std::string, uint64_t> stack_bytes;
  return generate(*module, *machine, output, merged.quick, stack_bytes);
}

}  // namespace

std::vector<uint8_t> emit_object(const kernel::Module& module, const kernel::Target& target,
                                 const AddFunctions& add) {
  const auto bytes = emit(module, target, Output::object, add);
  return {bytes.begin(), bytes.end()};
}

std::string emit_assembly(const kernel::Module& module, const kernel::Target& target) {
  const auto text = emit(module, target, Output::assembly);
  return {text.begin(), text.end()};
}

std::string emit_llvm_ir(const kernel::Module& module, const kernel::Target& target,
                         bool optimized) {
  llvm::LLVMContext context;
  auto machine = make_machine(target);
  auto printed = print(merge(module), target, *machine, context);
  if (optimized) optimize(*printed, *machine);
  std::string text;
  llvm::raw_string_ostream stream(text);
  printed->print(stream, nullptr);
  return stream.str();
}

}  // namespace nnc::jit
