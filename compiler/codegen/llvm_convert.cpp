#include "compiler/codegen/llvm_instruction.h"

namespace nnc::codegen {

using kernel::Instruction;
using kernel::Op;
using kernel::Scalar;
using kernel::Type;

llvm::Value* InstructionPrinter::rearrange(const Instruction& instruction, const Operands& in) {
  switch (instruction.op) {
    case Op::select: return builder_.CreateSelect(in[0], in[1], in[2]);
    case Op::convert: return convert(in[0], instruction.operands[0].type, instruction.type);
    case Op::bitcast: return bitcast(instruction, in[0]);
    case Op::splat: return splat(in[0], instruction.type.lanes);
    case Op::iota: {
      if (instruction.type.lanes == 1) return llvm::ConstantInt::get(type_of(instruction.type), 0);
      llvm::Type* scalar = scalar_type(builder_.getContext(), instruction.type.scalar);
      std::vector<llvm::Constant*> lanes;
      for (int i = 0; i < instruction.type.lanes; ++i) {
        lanes.push_back(llvm::ConstantInt::get(scalar, i));
      }
      return llvm::ConstantVector::get(lanes);
    }
    case Op::extract:
      if (instruction.operands[0].type.lanes == 1) return in[0];
      return builder_.CreateExtractElement(in[0], static_cast<uint64_t>(instruction.imm));
    default: return shuffle(instruction, in);
  }
}

// As insertelement and shufflevector: the form in which a broadcast of a loaded value becomes a
// broadcast from memory.
llvm::Value* InstructionPrinter::splat(llvm::Value* a, int lanes) {
  return lanes == 1 ? a : builder_.CreateVectorSplat(lanes, a);
}

llvm::Value* InstructionPrinter::shuffle(const Instruction& instruction, const Operands& in) {
  const auto& map = instruction.lane_map;
  if (instruction.operands[0].type.lanes == 1) {
    if (map.size() == 1) return in[map[0]];
    llvm::Value* result = llvm::PoisonValue::get(type_of(instruction.type));
    for (size_t i = 0; i < map.size(); ++i) {
      result = builder_.CreateInsertElement(result, in[map[i]], i);
    }
    return result;
  }
  if (map.size() == 1) {
    const int lanes = instruction.operands[0].type.lanes;
    return builder_.CreateExtractElement(in[map[0] / lanes], static_cast<uint64_t>(map[0] % lanes));
  }
  llvm::Value* shuffled = builder_.CreateShuffleVector(in[0], in[1], map);
  const bool constants = llvm::isa<llvm::Constant>(in[0]) || llvm::isa<llvm::Constant>(in[1]);
  return constants ? shuffled : fenced(shuffled);
}

// Kernels choose shuffles that are single instructions. Instruction selection would still look for
// better ones through every chain of them, which takes two thirds of the time of a transpose of
// 16x16 elements and finds nothing; it does not look through a fence, which is no instruction.
llvm::Value* InstructionPrinter::fenced(llvm::Value* shuffled) {
  const auto* type = llvm::dyn_cast<llvm::FixedVectorType>(shuffled->getType());
  const bool native = type && type->getElementType()->isFloatTy() &&
                      4 * static_cast<int>(type->getNumElements()) == target_.vector_bytes;
  if (!native || target_.isa == kernel::Isa::neon) return shuffled;
  return builder_.CreateArithmeticFence(shuffled, shuffled->getType());
}

llvm::Value* InstructionPrinter::bitcast(const Instruction& instruction, llvm::Value* a) {
  llvm::Type* to = type_of(instruction.type);
  if (a->getType()->isPointerTy() && !to->isPointerTy()) {
    return builder_.CreateBitCast(builder_.CreatePtrToInt(a, builder_.getInt64Ty()), to);
  }
  if (!a->getType()->isPointerTy() && to->isPointerTy()) {
    return builder_.CreateIntToPtr(builder_.CreateBitCast(a, builder_.getInt64Ty()), to);
  }
  return builder_.CreateBitCast(a, to);
}

llvm::Value* InstructionPrinter::convert(llvm::Value* a, Type from, Type to) {
  if (from.scalar == to.scalar) return a;
  if (from.scalar == Scalar::bf16) {
    return convert(bf16_to_f32(a, from.lanes), from.with(Scalar::f32), to);
  }
  if (to.scalar == Scalar::bf16) {
    return f32_to_bf16(convert(a, from, to.with(Scalar::f32)), to.lanes);
  }
  return from.is_float() ? convert_from_float(a, from, to) : convert_from_integer(a, from, to);
}

llvm::Value* InstructionPrinter::convert_from_float(llvm::Value* a, Type from, Type to) {
  llvm::Type* type = type_of(to);
  switch (to.scalar) {
    case Scalar::f64: return builder_.CreateFPExt(a, type);
    case Scalar::f32: return builder_.CreateFPTrunc(a, type);
    case Scalar::i1: return builder_.CreateFCmpUNE(a, llvm::Constant::getNullValue(type_of(from)));
    case Scalar::u8:
      return builder_.CreateTrunc(builder_.CreateFPToSI(a, type_of(to.with(Scalar::i32))), type);
    default: return builder_.CreateFPToSI(a, type);
  }
}

llvm::Value* InstructionPrinter::convert_from_integer(llvm::Value* a, Type from, Type to) {
  llvm::Type* type = type_of(to);
  if (to.scalar == Scalar::i1) {
    return builder_.CreateICmpNE(a, llvm::Constant::getNullValue(type_of(from)));
  }
  const bool is_unsigned = from.scalar == Scalar::u8 || from.scalar == Scalar::i1;
  if (!to.is_float()) {
    return is_unsigned ? builder_.CreateZExtOrTrunc(a, type) : builder_.CreateSExtOrTrunc(a, type);
  }
  if (from.scalar == Scalar::i1) {
    return builder_.CreateSelect(a, llvm::ConstantFP::get(type, 1.0),
                                 llvm::ConstantFP::get(type, 0.0));
  }
  // Through i32, for which every target has a vector conversion.
  if (is_unsigned) a = builder_.CreateZExt(a, type_of(from.with(Scalar::i32)));
  return builder_.CreateSIToFP(a, type);
}

llvm::Value* InstructionPrinter::bf16_to_f32(llvm::Value* a, int lanes) {
  llvm::Value* wide = builder_.CreateZExt(a, type_of({Scalar::i32, lanes}));
  return builder_.CreateBitCast(builder_.CreateShl(wide, 16), type_of({Scalar::f32, lanes}));
}

// Rounds to nearest even by adding just under half of the last kept bit, plus that bit itself. A
// NaN keeps its upper bits and is made quiet, so that rounding cannot turn it into infinity.
llvm::Value* InstructionPrinter::f32_to_bf16(llvm::Value* a, int lanes) {
  llvm::Type* wide = type_of({Scalar::i32, lanes});
  llvm::Value* bits = builder_.CreateBitCast(a, wide);
  llvm::Value* upper = builder_.CreateLShr(bits, 16);
  llvm::Value* odd = builder_.CreateAnd(upper, llvm::ConstantInt::get(wide, 1));
  llvm::Value* sum = builder_.CreateAdd(bits, llvm::ConstantInt::get(wide, 0x7fff));
  llvm::Value* rounded = builder_.CreateLShr(builder_.CreateAdd(sum, odd), 16);
  llvm::Value* quiet = builder_.CreateOr(upper, llvm::ConstantInt::get(wide, 0x40));
  llvm::Value* is_nan = builder_.CreateFCmpUNO(a, a);
  return builder_.CreateTrunc(builder_.CreateSelect(is_nan, quiet, rounded),
                              type_of({Scalar::bf16, lanes}));
}

}  // namespace nnc::codegen
