// A small model for tests of emission: y = x W + b, built by hand from kernel IR, and its request.
#pragma once

#include <list>
#include <random>

#include "compiler/codegen/emit.h"
#include "compiler/kernel/builder.h"

namespace nnc::testing {

struct EmitModel {
  codegen::EmitRequest request;
  std::list<kernel::Module> modules;  // what the request's levels point to
};

struct EmitModelOptions {
  std::string name = "two-by-two";
  kernel::Scalar scalar = kernel::Scalar::f32;
  std::vector<codegen::CppLevel> levels = {codegen::CppLevel::avx512, codegen::CppLevel::avx2,
                                           codegen::CppLevel::generic, codegen::CppLevel::plain};
  int64_t inputs = 5;
  int64_t outputs = 32;  // a multiple of 16
  int64_t block_rows = 8;
  int64_t rows = 19;  // of the self-test
  size_t arena_bytes = 0;
  std::string input_name = "x";
  std::string output_name = "y";
};

// The core: for each row, y = b, then y += x[k] * W[k] over k, 16 outputs at a time; the sums are
// kept in the arena between the two, if there is one.
inline void write_core(kernel::Module& module, const EmitModelOptions& options) {
  using namespace kernel;
  module.name = options.name;
  module.functions.push_back(std::make_unique<Function>());
  Function& function = *module.functions.back();
  function.name = "predict_core";
  function.exported = true;
  function.comment = "y = x W + b";
  Builder b(function);
  const Type pointer{Scalar::ptr, 1}, index{Scalar::i64, 1}, one{options.scalar, 1};
  const Type vector{options.scalar, 16};
  const Value state = b.param("state", pointer), arena = b.param("arena", pointer);
  const Value in = b.param("in_0", pointer), order = b.param("idx_0", pointer);
  const Value out = b.param("out_0", pointer);
  b.param("scalars", pointer);
  const Value rows = b.param("rows", index), thread = b.param("thread", index);
  b.param("threads", index);
  const Value barrier = b.param("barrier_fn", pointer),
              barrier_state = b.param("barrier_state", pointer);
  const int64_t bias = options.inputs * options.outputs;
  b.loop(b.i64(0), rows, b.i64(1), [&](Value row) {
    const Value source = b.convert(b.load({Scalar::i32, 1}, order, row), Scalar::i64);
    b.loop(b.i64(0), b.i64(options.outputs), b.i64(16), [&](Value column) {
      const Value initial = b.load(vector, state, b.add(column, b.i64(bias)));
      const auto sums = b.loop(
          b.i64(0), b.i64(options.inputs), b.i64(1), {initial},
          [&](Value k, const std::vector<Value>& sum) -> std::vector<Value> {
            const Value x = b.load(one, in, b.add(b.mul(source, b.i64(options.inputs)), k));
            const Value w = b.load(vector, state, b.add(b.mul(k, b.i64(options.outputs)), column));
            return {b.muladd(b.splat(x, 16), w, sum[0])};
          });
      Value result = sums[0];
      if (options.arena_bytes) {
        b.store(result, arena, b.i64(0));
        result = b.load(vector, arena, b.i64(0));
      }
      b.store(result, out, b.add(b.mul(row, b.i64(options.outputs)), column));
    });
  });
  b.barrier(barrier, barrier_state, thread);
}

inline void fill_state(codegen::EmitRequest& request, const EmitModelOptions& options) {
  const size_t size = options.scalar == kernel::Scalar::f32 ? 4 : 8;
  const auto dtype = size == 4 ? abi::DType::f32 : abi::DType::f64;
  abi::StateDesc weights, bias;
  weights.name = "fc.kernel";
  weights.dtype = bias.dtype = dtype;
  weights.shape = {options.inputs, options.outputs};
  bias.name = "fc.bias";
  bias.shape = {options.outputs};
  bias.offset = weights.elements() * size;
  request.states = {weights, bias};
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (size_t i = 0; i < weights.elements() + bias.elements(); ++i) {
    const double value = normal(random);
    const float single = static_cast<float>(value);
    const auto* bytes = size == 4 ? reinterpret_cast<const uint8_t*>(&single)
                                  : reinterpret_cast<const uint8_t*>(&value);
    request.state.insert(request.state.end(), bytes, bytes + size);
  }
}

// Rows with answers computed in double.
inline void fill_rows(codegen::EmitRequest& request, const EmitModelOptions& options) {
  codegen::EmitFunction& function = request.functions[0];
  const bool single = options.scalar == kernel::Scalar::f32;
  const auto state = [&](int64_t i) {
    if (single) return static_cast<double>(reinterpret_cast<const float*>(request.state.data())[i]);
    return reinterpret_cast<const double*>(request.state.data())[i];
  };
  std::mt19937 random(4);
  for (int64_t r = 0; r < options.rows; ++r) {
    codegen::EmitRow row;
    row.inputs.resize(1);
    row.outputs.resize(1);
    for (int64_t i = 0; i < options.inputs; ++i) row.inputs[0].push_back(random() % 256);
    for (int64_t j = 0; j < options.outputs; ++j) {
      double sum = state(options.inputs * options.outputs + j);
      for (int64_t i = 0; i < options.inputs; ++i) {
        sum += row.inputs[0][static_cast<size_t>(i)] * state(i * options.outputs + j);
      }
      row.outputs[0].push_back(sum);
    }
    function.rows.push_back(row);
  }
}

inline EmitModel emit_model(const EmitModelOptions& options = {}) {
  EmitModel model;
  codegen::EmitRequest& request = model.request;
  const auto dtype = options.scalar == kernel::Scalar::f32 ? abi::DType::f32 : abi::DType::f64;
  request.model = options.name;
  request.summary = "A dense layer.";
  codegen::EmitFunction& function = request.functions.emplace_back();
  function.inputs = {{options.input_name, dtype, {options.inputs}, "raw numbers"}};
  function.outputs = {{options.output_name, dtype, {options.outputs}, ""}};
  function.block_rows = options.block_rows;
  request.tolerance = options.scalar == kernel::Scalar::f32 ? 1e-4 : 1e-12;
  for (codegen::CppLevel level : options.levels) {
    kernel::Module& module = model.modules.emplace_back();
    write_core(module, options);
    const codegen::EmitKernels kernels{&module, "predict_core", options.arena_bytes};
    function.levels.push_back({level, kernels, kernels});
  }
  fill_state(request, options);
  fill_rows(request, options);
  return model;
}

}  // namespace nnc::testing
