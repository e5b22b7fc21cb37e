#include "tests/unit/jit/samples.h"

#include <stdlib.h>

#include <stdexcept>

namespace nnc::testing {

using namespace kernel;

namespace {

constexpr Type pointer{Scalar::ptr, 1};
constexpr Type integer{Scalar::i64, 1};

Function& add_function(Module& module, const std::string& name, bool exported) {
  module.functions.push_back(std::make_unique<Function>());
  Function& function = *module.functions.back();
  function.name = name;
  function.exported = exported;
  return function;
}

}  // namespace

Function& add_scale(Module& module, const std::string& name, double factor, const Target& target,
                    bool exported) {
  Function& function = add_function(module, name, exported);
  Builder b(function);
  const int lanes = target.lanes(4);
  const Type vector{Scalar::f32, lanes};
  Value data = b.param("data", pointer), n = b.param("n", integer);
  b.loop(b.i64(0), n, b.i64(lanes), [&](Value i) {
    Value element = b.add(b.splat(i, lanes), b.iota({Scalar::i64, lanes}));
    Value mask = b.compare(Op::lt, element, b.splat(n, lanes));
    Value x = b.load(vector, data, i, mask);
    x = b.add(b.mul(x, b.constant(vector, factor)), b.constant(vector, 1));
    b.store(x, data, i, mask);
  });
  return function;
}

Module scale_module(double factor, const Target& target) {
  Module module;
  module.name = "scale";
  add_scale(module, "scale", factor, target);
  return module;
}

void add_matmul(Module& module, const std::string& name, const Target& target, int rows,
                int vectors) {
  Builder b(add_function(module, name, true));
  const int lanes = target.lanes(4);
  const Type vector{Scalar::f32, lanes}, scalar{Scalar::f32, 1};
  Value a = b.param("a", pointer), bb = b.param("b", pointer), c = b.param("c", pointer);
  Value k = b.param("k", integer), lda = b.param("lda", integer);
  Value ldb = b.param("ldb", integer), ldc = b.param("ldc", integer);
  auto place = [&](int i) {
    return b.add(b.mul(ldc, b.i64(i / vectors)), b.i64(i % vectors * lanes));
  };
  std::vector<Value> tile;
  for (int i = 0; i < rows * vectors; ++i) tile.push_back(b.load(vector, c, place(i)));
  tile = b.loop(b.i64(0), k, b.i64(1), tile, [&](Value step, const std::vector<Value>& sums) {
    std::vector<Value> columns, next;
    for (int v = 0; v < vectors; ++v) {
      columns.push_back(b.load(vector, bb, b.add(b.mul(step, ldb), b.i64(v * lanes))));
    }
    for (int i = 0; i < rows * vectors; ++i) {
      Value element = b.load(scalar, a, b.add(b.mul(lda, b.i64(i / vectors)), step));
      next.push_back(b.muladd(b.splat(element, lanes), columns[i % vectors], sums[i]));
    }
    return next;
  });
  for (int i = 0; i < rows * vectors; ++i) b.store(tile[i], c, place(i));
}

void add_peak(Module& module, const std::string& name, const Target& target) {
  Builder b(add_function(module, name, true));
  const Type vector{Scalar::f32, target.lanes(4)};
  Value out = b.param("out", pointer), n = b.param("n", integer);
  std::vector<Value> sums(12, b.constant(vector, 0));
  Value factor = b.load(vector, out, b.i64(0));
  sums = b.loop(b.i64(0), n, b.i64(1), sums, [&](Value, const std::vector<Value>& values) {
    std::vector<Value> next;
    for (Value value : values) next.push_back(b.muladd(value, factor, factor));
    return next;
  });
  Value total = sums[0];
  for (size_t i = 1; i < sums.size(); ++i) total = b.add(total, sums[i]);
  b.store(total, out, b.i64(0));
}

TemporaryFolder::TemporaryFolder() {
  std::string name = std::filesystem::temp_directory_path() / "nnc-test-XXXXXX";
  if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a temporary folder");
  path = name;
}

}  // namespace nnc::testing
