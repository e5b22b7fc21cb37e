#include "compiler/kernel/kernel.h"

namespace nnc::kernel {

int bytes_of(Scalar s) {
  switch (s) {
    case Scalar::i1:
    case Scalar::u8: return 1;
    case Scalar::bf16: return 2;
    case Scalar::i32:
    case Scalar::f32: return 4;
    case Scalar::i64:
    case Scalar::f64:
    case Scalar::ptr: return 8;
  }
  return 0;
}

const char* name_of(Scalar s) {
  switch (s) {
    case Scalar::i1: return "i1";
    case Scalar::u8: return "u8";
    case Scalar::i32: return "i32";
    case Scalar::i64: return "i64";
    case Scalar::f32: return "f32";
    case Scalar::f64: return "f64";
    case Scalar::bf16: return "bf16";
    case Scalar::ptr: return "ptr";
  }
  return "?";
}

const char* name_of(Op op) {
  switch (op) {
    case Op::constant: return "constant";
    case Op::add: return "add";
    case Op::sub: return "sub";
    case Op::mul: return "mul";
    case Op::div: return "div";
    case Op::rem: return "rem";
    case Op::neg: return "neg";
    case Op::abs: return "abs";
    case Op::sqrt: return "sqrt";
    case Op::floor: return "floor";
    case Op::round_even: return "round_even";
    case Op::min: return "min";
    case Op::max: return "max";
    case Op::muladd: return "muladd";
    case Op::bit_and: return "bit_and";
    case Op::bit_or: return "bit_or";
    case Op::bit_xor: return "bit_xor";
    case Op::shift_left: return "shift_left";
    case Op::shift_right: return "shift_right";
    case Op::shift_right_signed: return "shift_right_signed";
    case Op::mul_high: return "mul_high";
    case Op::popcount: return "popcount";
    case Op::eq: return "eq";
    case Op::ne: return "ne";
    case Op::lt: return "lt";
    case Op::le: return "le";
    case Op::gt: return "gt";
    case Op::ge: return "ge";
    case Op::select: return "select";
    case Op::convert: return "convert";
    case Op::bitcast: return "bitcast";
    case Op::splat: return "splat";
    case Op::iota: return "iota";
    case Op::extract: return "extract";
    case Op::shuffle: return "shuffle";
    case Op::load: return "load";
    case Op::store: return "store";
    case Op::gather: return "gather";
    case Op::offset: return "offset";
    case Op::prefetch: return "prefetch";
    case Op::loop: return "loop";
    case Op::branch: return "branch";
    case Op::call: return "call";
    case Op::barrier: return "barrier";
  }
  return "?";
}

const Function* Module::find(const std::string& name) const {
  for (const auto& function : functions) {
    if (function->name == name) return function.get();
  }
  return nullptr;
}

}  // namespace nnc::kernel
