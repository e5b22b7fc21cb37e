// The scalar code of every elementwise, reduction and generator op, run by the kernel interpreter,
// against the reference: one lane and eight, with fused multiply-add and without.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "compiler/kernel/builder.h"
#include "compiler/kernel/element_emitter.h"
#include "compiler/ops/record.h"
#include "tests/support/kernel_interpreter.h"
#include "tests/support/op_samples.h"

namespace nnc::testing {
namespace {

using namespace nnc::ir;
using kernel::Scalar;
using kernel::scalar_of;

void put(uint8_t* place, Scalar scalar, double x) {
  const auto copy = [&](auto value) { std::memcpy(place, &value, sizeof(value)); };
  switch (scalar) {
    case Scalar::f32: return copy(static_cast<float>(x));
    case Scalar::f64: return copy(x);
    case Scalar::i32: return copy(static_cast<int32_t>(x));
    case Scalar::i64: return copy(static_cast<int64_t>(x));
    default: return copy(static_cast<uint8_t>(x));
  }
}

double get(const uint8_t* place, Scalar scalar) {
  const auto read = [&](auto value) {
    std::memcpy(&value, place, sizeof(value));
    return static_cast<double>(value);
  };
  switch (scalar) {
    case Scalar::f32: return read(0.0f);
    case Scalar::f64: return read(0.0);
    case Scalar::i32: return read(int32_t{0});
    case Scalar::i64: return read(int64_t{0});
    default: return read(uint8_t{0});
  }
}

using Buffer = std::vector<uint8_t>;

struct Problem {
  Graph graph{"g", 3};
  const Node* node = nullptr;
  std::vector<Tensor> operands;
  Tensor expected;

  Problem(const OpDef& op, const Sample& sample, std::mt19937_64& random) {
    std::vector<Value*> values;
    for (size_t i = 0; i < sample.operands.size(); ++i) {
      const Type& type = sample.operands[i];
      values.push_back(graph.add_param(ParamKind::state, "a", type));
      const auto [low, high] =
          i < sample.ranges.size() ? sample.ranges[i] : std::pair(sample.low, sample.high);
      operands.push_back(random_tensor(type, low, high, graph.batch, random));
    }
    node = graph.add(&op, values, sample.attributes);
    expected = random_tensor(node->result()->type, 0, 0, graph.batch, random);
    std::vector<Tensor> results = {expected};
    std::vector<const Tensor*> pointers;
    for (const Tensor& tensor : operands) pointers.push_back(&tensor);
    EvalContext context{*node, pointers, results, graph.batch};
    op.eval(context);
    expected = results[0];
  }
};

constexpr int64_t kPadding = 8;  // elements beyond the end that a vector may touch

Buffer buffer_of(const Tensor& tensor, Scalar scalar) {
  const int64_t size = kernel::bytes_of(scalar);
  Buffer bytes(static_cast<size_t>((tensor.elements() + kPadding) * size), 0);
  for (int64_t i = 0; i < tensor.elements() + kPadding; ++i) {  // 1 can be divided by
    const bool inside = i < tensor.elements();
    put(bytes.data() + i * size, scalar, inside ? tensor.data[static_cast<size_t>(i)] : 1.0);
  }
  return bytes;
}

// The index of element `flat` of a row-major tensor, as vectors.
std::vector<kernel::Value> indices_of(kernel::Builder& k, kernel::Value flat,
                                      const std::vector<int64_t>& shape) {
  std::vector<kernel::Value> indices;
  for (int64_t stride : ops::row_major_strides(shape)) {
    const kernel::Value step = k.constant_int(flat.type, stride);
    indices.push_back(k.div(flat, step));
    flat = k.binary(kernel::Op::rem, flat, step);
  }
  return indices;
}

// for i in 0, lanes, 2·lanes …: result[i …] = op(operands[i …])
kernel::Module module_of(const Problem& p, int lanes) {
  kernel::Module module;
  module.functions.push_back(std::make_unique<kernel::Function>());
  kernel::Function& function = *module.functions[0];
  function.name = "entry";
  kernel::Builder k(function);
  std::vector<kernel::Value> pointers;
  for (size_t i = 0; i <= p.operands.size(); ++i) {
    pointers.push_back(k.param("p" + std::to_string(i), {Scalar::ptr, 1}));
  }
  const Scalar scalar = scalar_of(p.node->result()->type.dtype);
  const bool generator = p.node->op->family == Family::generator;
  k.loop(k.i64(0), k.i64(p.expected.elements()), k.i64(lanes), [&](kernel::Value i) {
    LowerContext context{k, *p.node, scalar, lanes};
    std::vector<kernel::Value> operands;
    for (size_t n = 0; n < p.operands.size(); ++n) {
      const kernel::Type type{scalar_of(p.node->operands[n]->type.dtype), generator ? 1 : lanes};
      operands.push_back(k.load(type, pointers[n], generator ? k.i64(0) : i));
    }
    if (!generator) return k.store(p.node->op->lower(context, operands), pointers.back(), i);
    const kernel::Type wide{Scalar::i64, lanes};
    const kernel::Value lane = lanes == 1 ? k.i64(0) : k.iota(wide);
    const kernel::Value flat = k.add(k.splat(i, lanes), lane);
    k.store(p.node->op->lower_index(context, indices_of(k, flat, p.expected.shape), operands),
            pointers.back(), i);
  });
  return module;
}

void check(const Problem& p, int lanes, bool fma) {
  const kernel::Module module = module_of(p, lanes);
  REQUIRE_NOTHROW(kernel::verify(module));
  const Scalar scalar = scalar_of(p.node->result()->type.dtype);
  std::vector<Buffer> buffers;
  for (size_t i = 0; i < p.operands.size(); ++i) {
    buffers.push_back(buffer_of(p.operands[i], scalar_of(p.node->operands[i]->type.dtype)));
  }
  buffers.push_back(buffer_of(p.expected, scalar));
  std::fill(buffers.back().begin(), buffers.back().end(), uint8_t{0});
  std::vector<Lane> arguments;
  for (const Buffer& buffer : buffers) arguments.push_back(lane_of(buffer.data()));
  interpret(module, "entry", arguments, fma);
  const double epsilon = scalar == Scalar::f32 ? 0x1p-23 : scalar == Scalar::f64 ? 0x1p-52 : 0;
  for (int64_t i = 0; i < p.expected.elements(); ++i) {
    const double exact = p.expected.data[static_cast<size_t>(i)];
    const double got = get(buffers.back().data() + i * kernel::bytes_of(scalar), scalar);
    // 6 units in the last place, for numbers below 1 of those of 1 (sums cancel).
    const double limit = 6 * epsilon * std::max(1.0, std::fabs(exact));
    if (!(std::fabs(got - exact) <= limit))
      FAIL_CHECK("element " << i << ": " << got << ", not " << exact);
  }
}

}  // namespace

TEST_CASE("the code of every op computes what its reference does") {
  std::mt19937_64 random(5);
  int checked = 0;
  for (const OpDef* op : all_ops()) {
    if (op->family != Family::elementwise && op->family != Family::generator) continue;
    const std::vector<Sample> samples = op->samples();
    for (size_t i = 0; i < samples.size(); ++i) {
      CAPTURE(describe(*op, samples[i], i));
      const Problem p(*op, samples[i], random);
      for (int lanes : {1, 8}) check(p, lanes, lanes == 8);
      ++checked;
    }
  }
  CHECK(checked > 500);
}

TEST_CASE("the code of every reduction folds as its reference does, from its identity") {
  for (const OpDef* op : all_ops()) {
    if (op->family != Family::reduction) continue;
    CAPTURE(op->name);
    Graph graph;
    Value* a = graph.add_param(ParamKind::state, "a", {DType::f64, {{3}}});
    const Node* node = graph.add(op, {a}, {{"axes", std::vector<int64_t>{0}}});
    kernel::Module module;
    module.functions.push_back(std::make_unique<kernel::Function>());
    module.functions[0]->name = "entry";
    kernel::Builder k(*module.functions[0]);
    const kernel::Value in = k.param("in", {Scalar::ptr, 1}),
                        out = k.param("out", {Scalar::ptr, 1});
    LowerContext context{k, *node, Scalar::f64, 1};
    kernel::Value sum = k.constant({Scalar::f64, 1}, op->identity);
    for (int64_t i = 0; i < 3; ++i) {
      sum = op->lower(context, {sum, k.load({Scalar::f64, 1}, in, k.i64(i))});
    }
    k.store(sum, out, k.i64(0));
    const std::vector<double> numbers = {0.5, -2.5, 1.25};
    double result = 0;
    interpret(module, "entry", {lane_of(numbers.data()), lane_of(&result)}, false);
    graph.add_output("y", node->result());
    CHECK(result == evaluate(graph, {{"a", {{3}, numbers}}}).at("y").data[0]);
  }
}

}  // namespace nnc::testing
