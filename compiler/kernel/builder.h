// Writes kernel IR. The builder appends to the block that is open; loops and branches open and
// close nested blocks through callbacks, so the nesting of the C++ code is that of the kernel.
//
// Index arithmetic (scalars of i64) is written once: constants are folded, and what has been
// computed in this block or one around it is used again. Half of a kernel would be repetitions
// otherwise.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "compiler/kernel/kernel.h"

namespace nnc::kernel {

class Builder {
 public:
  explicit Builder(Function& function) : function_(function), block_(&function.body) {}

  Value param(const std::string& name, Type type);

  Value constant(Type type, double value);  // floats and integers alike
  Value constant_int(Type type, int64_t value);
  Value i64(int64_t value) { return constant_int({Scalar::i64, 1}, value); }

  Value unary(Op op, Value a);
  Value binary(Op op, Value a, Value b);  // operands of one type; also compare (result i1)
  Value add(Value a, Value b) { return binary(Op::add, a, b); }
  Value sub(Value a, Value b) { return binary(Op::sub, a, b); }
  Value mul(Value a, Value b) { return binary(Op::mul, a, b); }
  Value div(Value a, Value b) { return binary(Op::div, a, b); }
  Value min(Value a, Value b) { return binary(Op::min, a, b); }
  Value max(Value a, Value b) { return binary(Op::max, a, b); }
  Value compare(Op op, Value a, Value b) { return binary(op, a, b); }
  Value muladd(Value a, Value b, Value c);
  Value select(Value condition, Value if_true, Value if_false);
  Value convert(Value a, Scalar to);
  Value bitcast(Value a, Type to);
  Value splat(Value a, int lanes);  // a vector or lanes == 1 is returned as it is
  Value iota(Type type);
  Value extract(Value a, int lane);
  Value shuffle(Value a, Value b, std::vector<int> lane_map);

  Value load(Type type, Value pointer, Value index, Value mask = {});
  void store(Value value, Value pointer, Value index, Value mask = {});
  Value gather(Type type, Value pointer, Value indices, Value mask = {});
  Value offset(Value pointer, Value bytes);
  void prefetch(Value pointer, Value index, bool to_write = false);

  // for (i = lo; i < hi; i += step) carried = body(i, carried)
  using LoopBody = std::function<std::vector<Value>(Value, const std::vector<Value>&)>;
  std::vector<Value> loop(Value lo, Value hi, Value step, const std::vector<Value>& initial,
                          const LoopBody& body);
  void loop(Value lo, Value hi, Value step, const std::function<void(Value)>& body);
  void branch(Value condition, const std::function<void()>& body,
              const std::function<void()>& other = {});

  // Writes body(0), body(1) … body(count - 1), so many at a time with their instructions in turn
  // and all stores behind them. What each of them waits for (the terms of a polynomial, a division)
  // the core then spends on the others: of its own accord it looks ahead by two vectors of a tanh.
  // No body may read what another one stores.
  void side_by_side(int64_t count, int64_t at_a_time, const std::function<void(int64_t)>& body);

  void call(const std::string& callee, const std::vector<Value>& arguments);
  void barrier(Value function, Value state, Value thread);

  Function& function() { return function_; }

  // The number that an i64 is known to be while code is written.
  std::optional<int64_t> known(Value value) const;

 private:
  // Sorts what the open block holds from instruction `first` on, written in parts with these ends.
  void take_in_turn(size_t first, const std::vector<size_t>& ends);
  Value fresh(Type type) { return Value{function_.next_id++, type}; }
  // Writes the nested block.
  void inside(Block& block, const std::function<void()>& write);
  Value index_arithmetic(Op op, Value a, Value b);
  std::optional<Value> simpler(Op op, Value a, Value b);
  template <typename Write>
  Value once(Op op, int64_t a, int64_t b, Write write);
  Value append(Op op, Type type, std::vector<Value> operands);
  Instruction& push(Instruction instruction);

  using Expression = std::tuple<Op, int64_t, int64_t>;  // a constant, or an op of two values

  Function& function_;
  Block* block_;
  std::map<Expression, Value> computed_;        // what this block may use
  std::vector<Expression> here_;                // of those, what it computed itself
  std::unordered_map<int, int64_t> constants_;  // by the value's id
};

}  // namespace nnc::kernel
