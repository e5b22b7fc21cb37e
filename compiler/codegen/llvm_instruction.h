// How single instructions of kernel IR become LLVM IR; used by llvm_printer.cpp only.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <vector>

#include "compiler/kernel/kernel.h"
#include "compiler/kernel/target.h"

namespace nnc::codegen {

using Operands = std::vector<llvm::Value*>;

// i1 and u8 are i1 and i8; bf16 is i16, since only bit operations are done on it.
llvm::Type* scalar_type(llvm::LLVMContext& context, kernel::Scalar scalar);
llvm::Type* type_of(llvm::LLVMContext& context, kernel::Type type);

// The bits of `value` rounded to bf16, to nearest even.
uint16_t bf16_bits(float value);

class InstructionPrinter {
 public:
  InstructionPrinter(llvm::IRBuilder<>& builder, const kernel::Target& target)
      : builder_(builder), target_(target) {}

  // The result, or nullptr where there is none. For everything but loop, branch and call.
  llvm::Value* print(const kernel::Instruction& instruction, const Operands& operands);

 private:
  llvm::Value* constant(const kernel::Instruction& instruction);
  llvm::Value* arithmetic(const kernel::Instruction& instruction, const Operands& in);
  llvm::Value* unary(const kernel::Instruction& instruction, llvm::Value* a);
  llvm::Value* bits(const kernel::Instruction& instruction, const Operands& in);
  llvm::Value* min_max(const kernel::Instruction& instruction, llvm::Value* a, llvm::Value* b);
  llvm::Value* muladd(const Operands& in);
  llvm::Value* round_even(llvm::Value* a);
  llvm::Value* floor(llvm::Value* a);
  llvm::Value* compare(const kernel::Instruction& instruction, const Operands& in);

  llvm::Value* rearrange(const kernel::Instruction& instruction, const Operands& in);
  llvm::Value* splat(llvm::Value* a, int lanes);
  llvm::Value* shuffle(const kernel::Instruction& instruction, const Operands& in);
  llvm::Value* fenced(llvm::Value* shuffled);
  llvm::Value* bitcast(const kernel::Instruction& instruction, llvm::Value* a);
  llvm::Value* convert(llvm::Value* a, kernel::Type from, kernel::Type to);
  llvm::Value* convert_from_float(llvm::Value* a, kernel::Type from, kernel::Type to);
  llvm::Value* convert_from_integer(llvm::Value* a, kernel::Type from, kernel::Type to);
  llvm::Value* bf16_to_f32(llvm::Value* a, int lanes);
  llvm::Value* f32_to_bf16(llvm::Value* a, int lanes);

  llvm::Value* memory(const kernel::Instruction& instruction, const Operands& in);
  llvm::Value* load(const kernel::Instruction& instruction, const Operands& in);
  llvm::Value* store(const kernel::Instruction& instruction, const Operands& in);
  llvm::Value* gather(const kernel::Instruction& instruction, const Operands& in);
  llvm::Value* address(kernel::Scalar element, llvm::Value* pointer, llvm::Value* index);
  llvm::Value* as_vector_of_one(llvm::Value* a);
  llvm::Value* from_memory(llvm::Value* stored, kernel::Type type);

  llvm::Type* type_of(kernel::Type type) { return codegen::type_of(builder_.getContext(), type); }

  llvm::IRBuilder<>& builder_;
  const kernel::Target& target_;
};

}  // namespace nnc::codegen
