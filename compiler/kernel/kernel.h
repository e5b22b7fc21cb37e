// Kernel IR: scheduled loop nests with explicit vectors, the last representation before text.
// A module holds functions; a function is a block of instructions over typed values (SSA). Loops
// and branches own blocks and hand values on through `yield`. Two printers read it: LLVM and C++.
// Nothing here knows what an op or a graph is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nnc::kernel {

enum class Scalar : uint8_t { i1, u8, i32, i64, f32, f64, bf16, ptr };

struct Type {
  Scalar scalar = Scalar::i64;
  int lanes = 1;  // 1: a scalar; otherwise a vector of any power-of-two length
  bool operator==(const Type&) const = default;
  Type with(Scalar s) const { return {s, lanes}; }
  bool is_float() const {
    return scalar == Scalar::f32 || scalar == Scalar::f64 || scalar == Scalar::bf16;
  }
};

int bytes_of(Scalar s);  // in memory; i1 is one byte

// A value of one function: its number and type. Default: no value.
struct Value {
  int id = -1;
  Type type;
  explicit operator bool() const { return id >= 0; }
};

enum class Op : uint8_t {
  constant,  // imm (integers) or fimm (floats); vectors: every lane
  // Arithmetic on integers (wrapping) and floats (IEEE, never contracted or reassociated).
  add,
  sub,
  mul,
  div,
  rem,  // div, rem on integers: signed, truncating
  neg,
  abs,
  sqrt,
  floor,
  round_even,
  min,
  max,     // min(a,b) = b < a ? b : a; max(a,b) = a < b ? b : a: a NaN in `a` is kept
  muladd,  // a*b+c: fused where the target has FMA, else multiply then add
  // Bits; shifts take the count as second operand.
  bit_and,
  bit_or,
  bit_xor,
  shift_left,
  shift_right,
  shift_right_signed,
  mul_high,  // upper half of the unsigned 32x32 product
  popcount,
  // Compare (signed; floats ordered, `ne` unordered) to i1, and choose.
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  select,  // condition, if true, if false
  // Conversions. convert: value conversion (float -> int truncates; u8 and i1 are unsigned).
  convert,
  bitcast,
  splat,    // scalar -> vector
  iota,     // 0, 1, 2 … in the lanes of the (integer) type
  extract,  // vector -> scalar, lane imm
  shuffle,  // a, b; lane i is element lane_map[i] of the concatenation of a and b
  // Memory. Indices are i64 and count elements of the accessed scalar type.
  load,      // pointer, index[, mask]: lanes consecutive elements; masked-off lanes read as 0
  store,     // value, pointer, index[, mask]
  gather,    // pointer, vector of i64 indices[, mask]
  offset,    // pointer + operand 1 bytes
  prefetch,  // pointer, index (byte offset); imm: whether it will be written
  // Structure.
  loop,     // lo, hi, step, initial values…; body: params (counter, carried…), yields carried
  branch,   // condition; body and other; yields
  call,     // callee, arguments (no result)
  barrier,  // barrier function pointer, barrier state pointer, thread
};

const char* name_of(Op op);
const char* name_of(Scalar s);

struct Block;

struct Instruction {
  Op op;
  Type type;  // of the result (of the stored value for store)
  std::vector<Value> operands = {};
  std::vector<Value> results = {};  // one, none, or the carried values of loop and branch
  int64_t imm = 0;
  double fimm = 0;
  std::vector<int> lane_map = {};
  std::string callee = {};
  std::unique_ptr<Block> body = {};   // loop, branch (taken)
  std::unique_ptr<Block> other = {};  // branch (not taken); may be empty
};

struct Block {
  std::vector<Value> params;
  std::vector<Instruction> instructions;
  std::vector<Value> yields;
};

struct Function {
  std::string name;
  std::vector<std::string> param_names;
  Block body;  // params: the arguments
  int next_id = 0;
  bool exported = false;  // an entry that others look up by name
  std::string comment;    // what it computes, with the YAML line; printed by dumps
};

struct Module {
  std::string name;
  std::vector<std::unique_ptr<Function>> functions;  // callees before callers
  bool waited_for = false;  // somebody waits until it is compiled: what saves little is left out
  const Function* find(const std::string& name) const;
};

// The text form (`nnc dump --stage kernels`).
std::string print(const Function& function);
std::string print(const Module& module);

// Checks types, operand counts and that every value is defined before its use in an enclosing
// block. Throws InternalError: a broken kernel is a bug of the compiler.
void verify(const Module& module);

}  // namespace nnc::kernel
