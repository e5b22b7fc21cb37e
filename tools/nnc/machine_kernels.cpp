#include "tools/nnc/machine_kernels.h"

#include <vector>

#include "compiler/kernel/builder.h"

namespace nnc::tool {

namespace {

using namespace kernel;

constexpr int64_t rounds = 100000;
constexpr int chains = 12;  // latency 4 at two multiply-adds a cycle needs 8; registers allow 13
constexpr int vectors = 8;  // in the body of the loops over memory

const Type pointer{Scalar::ptr, 1};
const Type integer{Scalar::i64, 1};

Function& add_function(Module& module, const char* name, const char* comment) {
  module.functions.push_back(std::make_unique<Function>());
  Function& function = *module.functions.back();
  function.name = name;
  function.exported = true;
  function.comment = comment;
  return function;
}

Value sum_of(Builder& b, const std::vector<Value>& values) {
  Value total = values[0];
  for (size_t i = 1; i < values.size(); ++i) total = b.add(total, values[i]);
  return total;
}

void add_multiply_add(Module& module, const Type& vector) {
  Builder b(add_function(module, "multiply_add", "chains of multiply-adds in registers"));
  const Value context = b.param("context", pointer);
  const Value thread = b.param("thread", integer);
  const Value arena = b.load(pointer, context, b.i64(static_cast<int>(abi::ContextField::arena)));
  const Value own = b.offset(arena, b.mul(thread, b.i64(64)));
  const Value a = b.constant(vector, 0.999);
  const Value c = b.constant(vector, 0.001);
  std::vector<Value> initial;
  for (int i = 0; i < chains; ++i) initial.push_back(b.constant(vector, 0.5 + 0.01 * i));
  const auto sums =
      b.loop(b.i64(0), b.i64(rounds), b.i64(1), initial, [&](Value, const std::vector<Value>& x) {
        std::vector<Value> next;
        for (const Value& value : x) next.push_back(b.muladd(value, a, c));
        return next;
      });
  b.store(sum_of(b, sums), own, b.i64(0));
}

// Numbers of the elements of all vectors of one block, from `first`.
std::vector<Value> indices(Builder& b, Value first, int lanes) {
  std::vector<Value> result;
  for (int i = 0; i < vectors; ++i)
    result.push_back(i == 0 ? first : b.add(first, b.i64(int64_t{i} * lanes)));
  return result;
}

void add_read(Module& module, const Type& vector) {
  Builder b(add_function(module, "read", "a sum of all vectors, over and over"));
  const Value data = b.param("data", pointer);
  const Value bytes = b.param("bytes", integer);
  const Value passes = b.param("passes", integer);
  const Value sink = b.param("sink", pointer);
  const Value elements = b.div(bytes, b.i64(4));
  const std::vector<Value> zeros(vectors, b.constant(vector, 0));
  const auto sums =
      b.loop(b.i64(0), passes, b.i64(1), zeros, [&](Value, const std::vector<Value>& before) {
        return b.loop(b.i64(0), elements, b.i64(int64_t{vectors} * vector.lanes), before,
                      [&](Value first, const std::vector<Value>& x) {
                        std::vector<Value> next;
                        const auto at = indices(b, first, vector.lanes);
                        for (size_t i = 0; i < x.size(); ++i)
                          next.push_back(b.add(x[i], b.load(vector, data, at[i])));
                        return next;
                      });
      });
  b.store(sum_of(b, sums), sink, b.i64(0));
}

void add_write(Module& module, const Type& vector) {
  Builder b(add_function(module, "write", "zeros to all vectors, over and over"));
  const Value data = b.param("data", pointer);
  const Value bytes = b.param("bytes", integer);
  const Value passes = b.param("passes", integer);
  const Value elements = b.div(bytes, b.i64(4));
  const Value zero = b.constant(vector, 0);
  b.loop(b.i64(0), passes, b.i64(1), [&](Value) {
    b.loop(b.i64(0), elements, b.i64(int64_t{vectors} * vector.lanes), [&](Value first) {
      for (const Value& at : indices(b, first, vector.lanes)) b.store(zero, data, at);
    });
  });
}

}  // namespace

MachineKernels machine_kernels(const Target& target) {
  Module module;
  module.name = "machine";
  const Type vector{Scalar::f32, target.lanes(4)};
  add_multiply_add(module, vector);
  add_read(module, vector);
  add_write(module, vector);
  jit::Options options;
  options.target = target;
  MachineKernels kernels;
  kernels.code = jit::compile(module, options);
  kernels.multiply_add = reinterpret_cast<abi::EntryFn>(kernels.code->lookup("multiply_add"));
  kernels.read = reinterpret_cast<decltype(kernels.read)>(kernels.code->lookup("read"));
  kernels.write = reinterpret_cast<decltype(kernels.write)>(kernels.code->lookup("write"));
  kernels.flops = 2.0 * rounds * chains * vector.lanes;
  kernels.block_bytes = int64_t{vectors} * target.vector_bytes;
  return kernels;
}

}  // namespace nnc::tool
