#include <llvm/IR/Intrinsics.h>

#include <bit>
#include <cmath>

#include "compiler/codegen/llvm_instruction.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

using kernel::Instruction;
using kernel::Op;
using kernel::Scalar;
using kernel::Type;

llvm::Type* scalar_type(llvm::LLVMContext& context, Scalar scalar) {
  switch (scalar) {
    case Scalar::i1: return llvm::Type::getInt1Ty(context);
    case Scalar::u8: return llvm::Type::getInt8Ty(context);
    case Scalar::bf16: return llvm::Type::getInt16Ty(context);
    case Scalar::i32: return llvm::Type::getInt32Ty(context);
    case Scalar::i64: return llvm::Type::getInt64Ty(context);
    case Scalar::f32: return llvm::Type::getFloatTy(context);
    case Scalar::f64: return llvm::Type::getDoubleTy(context);
    case Scalar::ptr: return llvm::PointerType::getUnqual(context);
  }
  throw InternalError("internal error: unknown scalar type");
}

llvm::Type* type_of(llvm::LLVMContext& context, Type type) {
  llvm::Type* scalar = scalar_type(context, type.scalar);
  return type.lanes == 1 ? scalar : llvm::FixedVectorType::get(scalar, type.lanes);
}

uint16_t bf16_bits(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

llvm::Value* InstructionPrinter::print(const Instruction& instruction, const Operands& operands) {
  if (instruction.op == Op::constant) return constant(instruction);
  if (instruction.op >= Op::load) return memory(instruction, operands);
  if (instruction.op >= Op::select) return rearrange(instruction, operands);
  if (instruction.op >= Op::eq) return compare(instruction, operands);
  return arithmetic(instruction, operands);
}

llvm::Value* InstructionPrinter::constant(const Instruction& instruction) {
  llvm::Type* type = type_of(instruction.type);
  switch (instruction.type.scalar) {
    case Scalar::f32: return llvm::ConstantFP::get(type, static_cast<float>(instruction.fimm));
    case Scalar::f64: return llvm::ConstantFP::get(type, instruction.fimm);
    case Scalar::bf16:
      return llvm::ConstantInt::get(type, bf16_bits(static_cast<float>(instruction.fimm)));
    default: {
      const unsigned width = type->getScalarSizeInBits();
      const auto bits = static_cast<uint64_t>(instruction.imm);
      return llvm::ConstantInt::get(type, llvm::APInt(64, bits).trunc(width));
    }
  }
}

llvm::Value* InstructionPrinter::arithmetic(const Instruction& instruction, const Operands& in) {
  const bool is_float = instruction.type.is_float();
  const bool is_signed = instruction.type.scalar != Scalar::u8;
  switch (instruction.op) {
    case Op::add:
      return is_float ? builder_.CreateFAdd(in[0], in[1]) : builder_.CreateAdd(in[0], in[1]);
    case Op::sub:
      return is_float ? builder_.CreateFSub(in[0], in[1]) : builder_.CreateSub(in[0], in[1]);
    case Op::mul:
      return is_float ? builder_.CreateFMul(in[0], in[1]) : builder_.CreateMul(in[0], in[1]);
    case Op::div:
      if (is_float) return builder_.CreateFDiv(in[0], in[1]);
      return is_signed ? builder_.CreateSDiv(in[0], in[1]) : builder_.CreateUDiv(in[0], in[1]);
    case Op::rem:
      return is_signed ? builder_.CreateSRem(in[0], in[1]) : builder_.CreateURem(in[0], in[1]);
    case Op::min:
    case Op::max: return min_max(instruction, in[0], in[1]);
    case Op::muladd: return muladd(in);
    case Op::neg:
    case Op::abs:
    case Op::sqrt:
    case Op::floor:
    case Op::round_even: return unary(instruction, in[0]);
    default: return bits(instruction, in);
  }
}

llvm::Value* InstructionPrinter::unary(const Instruction& instruction, llvm::Value* a) {
  const Type type = instruction.type;
  switch (instruction.op) {
    case Op::neg: return type.is_float() ? builder_.CreateFNeg(a) : builder_.CreateNeg(a);
    case Op::abs:
      if (type.is_float()) return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, a);
      if (type.scalar == Scalar::u8) return a;
      return builder_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, a, builder_.getFalse());
    case Op::sqrt: return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, a);
    case Op::floor: return floor(a);
    default: return round_even(a);
  }
}

llvm::Value* InstructionPrinter::bits(const Instruction& instruction, const Operands& in) {
  switch (instruction.op) {
    case Op::bit_and: return builder_.CreateAnd(in[0], in[1]);
    case Op::bit_or: return builder_.CreateOr(in[0], in[1]);
    case Op::bit_xor: return builder_.CreateXor(in[0], in[1]);
    case Op::shift_left: return builder_.CreateShl(in[0], in[1]);
    case Op::shift_right: return builder_.CreateLShr(in[0], in[1]);
    case Op::shift_right_signed: return builder_.CreateAShr(in[0], in[1]);
    case Op::popcount: return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, in[0]);
    case Op::mul_high: {
      llvm::Type* wide = type_of(instruction.type.with(Scalar::i64));
      llvm::Value* product =
          builder_.CreateMul(builder_.CreateZExt(in[0], wide), builder_.CreateZExt(in[1], wide));
      return builder_.CreateTrunc(builder_.CreateLShr(product, 32), type_of(instruction.type));
    }
    default:
      throw InternalError(std::string("internal error: no arithmetic: ") + name_of(instruction.op));
  }
}

// min(a,b) = b < a ? b : a and max(a,b) = a < b ? b : a are minps(b,a) and maxps(b,a) exactly,
// NaN and signed zero included, so the compare and the select become one instruction.
llvm::Value* InstructionPrinter::min_max(const Instruction& instruction, llvm::Value* a,
                                         llvm::Value* b) {
  const bool is_min = instruction.op == Op::min;
  if (!instruction.type.is_float()) {
    const bool is_signed = instruction.type.scalar != Scalar::u8;
    return builder_.CreateBinaryIntrinsic(
        is_signed ? (is_min ? llvm::Intrinsic::smin : llvm::Intrinsic::smax)
                  : (is_min ? llvm::Intrinsic::umin : llvm::Intrinsic::umax),
        a, b);
  }
  llvm::Value* take_b = is_min ? builder_.CreateFCmpOLT(b, a) : builder_.CreateFCmpOLT(a, b);
  return builder_.CreateSelect(take_b, b, a);
}

llvm::Value* InstructionPrinter::muladd(const Operands& in) {
  if (target_.fma) {
    return builder_.CreateIntrinsic(llvm::Intrinsic::fma, {in[0]->getType()}, in);
  }
  return builder_.CreateFAdd(builder_.CreateFMul(in[0], in[1]), in[2]);
}

// Without SSE4.1 there is no rounding instruction, and LLVM would call libm for every lane. Adding
// and subtracting 2^23 (2^52 for f64) rounds to an integer in the current mode, to nearest even;
// larger magnitudes are integers already, and the sign is put back for -0.
llvm::Value* InstructionPrinter::round_even(llvm::Value* a) {
  if (target_.isa != kernel::Isa::sse2) {
    return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::roundeven, a);
  }
  const bool is_f32 = a->getType()->getScalarType()->isFloatTy();
  llvm::Value* magic = llvm::ConstantFP::get(a->getType(), is_f32 ? 0x1p23 : 0x1p52);
  llvm::Value* magnitude = builder_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, a);
  llvm::Value* rounded = builder_.CreateFSub(builder_.CreateFAdd(magnitude, magic), magic);
  rounded = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, rounded, a);
  return builder_.CreateSelect(builder_.CreateFCmpOLT(magnitude, magic), rounded, a);
}

llvm::Value* InstructionPrinter::floor(llvm::Value* a) {
  if (target_.isa != kernel::Isa::sse2) {
    return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::floor, a);
  }
  llvm::Value* rounded = round_even(a);
  llvm::Value* one = llvm::ConstantFP::get(a->getType(), 1.0);
  return builder_.CreateSelect(builder_.CreateFCmpOGT(rounded, a),
                               builder_.CreateFSub(rounded, one), rounded);
}

llvm::Value* InstructionPrinter::compare(const Instruction& instruction, const Operands& in) {
  using Predicate = llvm::CmpInst::Predicate;
  const int which = static_cast<int>(instruction.op) - static_cast<int>(Op::eq);
  constexpr Predicate floats[] = {Predicate::FCMP_OEQ, Predicate::FCMP_UNE, Predicate::FCMP_OLT,
                                  Predicate::FCMP_OLE, Predicate::FCMP_OGT, Predicate::FCMP_OGE};
  constexpr Predicate integers[] = {Predicate::ICMP_EQ,  Predicate::ICMP_NE,  Predicate::ICMP_SLT,
                                    Predicate::ICMP_SLE, Predicate::ICMP_SGT, Predicate::ICMP_SGE};
  constexpr Predicate bytes[] = {Predicate::ICMP_EQ,  Predicate::ICMP_NE,  Predicate::ICMP_ULT,
                                 Predicate::ICMP_ULE, Predicate::ICMP_UGT, Predicate::ICMP_UGE};
  llvm::Type* scalar = in[0]->getType()->getScalarType();
  if (scalar->isFloatingPointTy()) return builder_.CreateFCmp(floats[which], in[0], in[1]);
  const bool is_unsigned = scalar->isIntegerTy(8) || scalar->isIntegerTy(1);
  return builder_.CreateICmp(is_unsigned ? bytes[which] : integers[which], in[0], in[1]);
}

}  // namespace nnc::codegen
