#include <llvm/IR/Intrinsics.h>

#include "compiler/codegen/llvm_instruction.h"

namespace nnc::codegen {

using kernel::Instruction;
using kernel::Op;
using kernel::Scalar;
using kernel::Type;

namespace {
// A truth value is one byte in memory.
Type stored_type(Type type) { return type.scalar == Scalar::i1 ? type.with(Scalar::u8) : type; }

llvm::Align alignment(Type type) { return llvm::Align(kernel::bytes_of(type.scalar)); }
}  // namespace

llvm::Value* InstructionPrinter::memory(const Instruction& instruction, const Operands& in) {
  switch (instruction.op) {
    case Op::load: return load(instruction, in);
    case Op::store: return store(instruction, in);
    case Op::gather: return gather(instruction, in);
    case Op::offset: return builder_.CreateGEP(builder_.getInt8Ty(), in[0], in[1]);
    case Op::prefetch: {
      llvm::Value* address = builder_.CreateGEP(builder_.getInt8Ty(), in[0], in[1]);
      const bool to_write = instruction.imm != 0;
      // To keep in all levels, data.
      builder_.CreateIntrinsic(
          llvm::Intrinsic::prefetch, {address->getType()},
          {address, builder_.getInt32(to_write), builder_.getInt32(3), builder_.getInt32(1)});
      return nullptr;
    }
    default: {  // barrier: void (*)(void* state, int64_t thread)
      auto* type = llvm::FunctionType::get(builder_.getVoidTy(),
                                           {builder_.getPtrTy(), builder_.getInt64Ty()}, false);
      builder_.CreateCall(type, in[0], {in[1], in[2]});
      return nullptr;
    }
  }
}

// What is a known distance from another place is counted from there, in bytes: the code generator
// would find that out for every access by itself, which takes it longer.
llvm::Value* InstructionPrinter::address(Scalar element, llvm::Value* pointer, llvm::Value* index) {
  llvm::Type* type = scalar_type(builder_.getContext(), stored_type({element, 1}).scalar);
  const auto* sum = llvm::dyn_cast<llvm::BinaryOperator>(index);
  if (!sum || sum->getOpcode() != llvm::Instruction::Add)
    return builder_.CreateGEP(type, pointer, index);
  const auto* distance = llvm::dyn_cast<llvm::ConstantInt>(sum->getOperand(1));
  if (!distance) return builder_.CreateGEP(type, pointer, index);
  llvm::Value* base = builder_.CreateGEP(type, pointer, sum->getOperand(0));
  return builder_.CreateGEP(
      builder_.getInt8Ty(), base,
      builder_.getInt64(distance->getSExtValue() * kernel::bytes_of(element)));
}

llvm::Value* InstructionPrinter::as_vector_of_one(llvm::Value* a) {
  if (a->getType()->isVectorTy()) return a;
  auto* type = llvm::FixedVectorType::get(a->getType(), 1);
  return builder_.CreateInsertElement(llvm::PoisonValue::get(type), a, uint64_t{0});
}

llvm::Value* InstructionPrinter::from_memory(llvm::Value* stored, Type type) {
  if (stored->getType()->isVectorTy() && type.lanes == 1) {
    stored = builder_.CreateExtractElement(stored, uint64_t{0});
  }
  if (type.scalar != Scalar::i1) return stored;
  return builder_.CreateICmpNE(stored, llvm::Constant::getNullValue(stored->getType()));
}

llvm::Value* InstructionPrinter::load(const Instruction& instruction, const Operands& in) {
  const Type stored = stored_type(instruction.type);
  llvm::Value* from = address(stored.scalar, in[0], in[1]);
  llvm::Type* type = type_of(stored);
  if (in.size() == 2) {
    return from_memory(builder_.CreateAlignedLoad(type, from, alignment(stored)), instruction.type);
  }
  if (stored.lanes == 1) type = llvm::FixedVectorType::get(type, 1);
  llvm::Value* loaded = builder_.CreateMaskedLoad(
      type, from, alignment(stored), as_vector_of_one(in[2]), llvm::Constant::getNullValue(type));
  return from_memory(loaded, instruction.type);
}

llvm::Value* InstructionPrinter::store(const Instruction& instruction, const Operands& in) {
  const Type stored = stored_type(instruction.type);
  llvm::Value* to = address(stored.scalar, in[1], in[2]);
  llvm::Value* value = in[0];
  if (instruction.type.scalar == Scalar::i1) value = builder_.CreateZExt(value, type_of(stored));
  if (in.size() == 3) {
    builder_.CreateAlignedStore(value, to, alignment(stored));
  } else {
    builder_.CreateMaskedStore(as_vector_of_one(value), to, alignment(stored),
                               as_vector_of_one(in[3]));
  }
  return nullptr;
}

llvm::Value* InstructionPrinter::gather(const Instruction& instruction, const Operands& in) {
  if (instruction.type.lanes == 1) return load(instruction, in);
  const Type stored = stored_type(instruction.type);
  llvm::Type* type = type_of(stored);
  llvm::Value* mask = in.size() == 3 ? in[2] : nullptr;
  llvm::Value* loaded =
      builder_.CreateMaskedGather(type, address(stored.scalar, in[0], in[1]), alignment(stored),
                                  mask, llvm::Constant::getNullValue(type));
  return from_memory(loaded, instruction.type);
}

}  // namespace nnc::codegen
