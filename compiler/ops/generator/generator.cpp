// Values that come from attributes alone: constants, tables and counters.
#include <algorithm>
#include <cmath>

#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

Type attribute_type(const InferInput& input) {
  return {input.attributes.dtype("dtype"), input.attributes.shape("shape")};
}

kernel::Value number(LowerContext& c, double value) {
  const kernel::Type type{c.scalar, c.lanes};
  return type.is_float() ? c.k.constant(type, value)
                         : c.k.constant_int(type, static_cast<int64_t>(value));
}

std::vector<Sample> constant_samples() {
  std::vector<Sample> list;
  for (const Shape& shape : sample_shapes()) {
    const DType dtype = list.size() % 2 == 0 ? DType::f32 : DType::f64;
    list.push_back(
        {.operands = {}, .attributes = {{"value", 0.3}, {"shape", shape}, {"dtype", dtype}}});
  }
  for (DType dtype : {DType::i32, DType::boolean}) {
    list.push_back(
        {.operands = {}, .attributes = {{"value", 1.0}, {"shape", Shape{{5}}}, {"dtype", dtype}}});
  }
  return list;
}

const Registration constant({
    .name = "constant",
    .family = Family::generator,
    .operands = 0,
    .doc = "{value} in every element of {shape} and {dtype}.",
    .infer =
        [](const InferInput& input) {
          input.attributes.number("value");
          return std::vector<Type>{attribute_type(input)};
        },
    .eval =
        [](EvalContext& c) {
          for (double& x : c.results[0].data) x = c.node.attributes.number("value");
        },
    .lower_index =
        [](LowerContext& c, const std::vector<kernel::Value>&, const std::vector<kernel::Value>&) {
          return number(c, c.node.attributes.number("value"));
        },
    .uniform = true,
    .cost = 0,
    .samples = constant_samples,
});

// A binary search with the answers in the code: fit for the small tables that models contain.
kernel::Value choose(LowerContext& c, kernel::Value index, const std::vector<double>& values,
                     size_t begin, size_t end) {
  const auto same = [&](double x) { return x == values[begin]; };
  if (std::all_of(values.begin() + static_cast<std::ptrdiff_t>(begin),
                  values.begin() + static_cast<std::ptrdiff_t>(end), same)) {
    return number(c, values[begin]);
  }
  const size_t middle = begin + (end - begin) / 2;
  const kernel::Value left = c.k.compare(
      kernel::Op::lt, index, c.k.constant_int(index.type, static_cast<int64_t>(middle)));
  const kernel::Value low = choose(c, index, values, begin, middle);
  return c.k.select(left, low, choose(c, index, values, middle, end));
}

kernel::Value lower_table(LowerContext& c, const std::vector<kernel::Value>& indices,
                          const std::vector<kernel::Value>&) {
  const kernel::Type wide{kernel::Scalar::i64, c.lanes};
  const Shape& shape = c.node.result()->type.shape;
  kernel::Value flat = c.k.constant_int(wide, 0);
  for (size_t i = 0; i < indices.size(); ++i) {
    flat = c.k.add(c.k.mul(flat, c.k.constant_int(wide, shape[i].size)),
                   c.k.splat(indices[i], c.lanes));
  }
  const std::vector<double>& values = c.node.attributes.numbers("values");
  return choose(c, flat, values, 0, values.size());
}

std::vector<Sample> table_samples() {
  std::vector<Sample> list;
  for (const Shape& shape : {Shape{}, Shape{{1}}, Shape{{7}}, Shape{{3}, {5}}, Shape{{2}, {3}, {4}},
                             Shape{{1}, {3}, {2}, {2}}}) {
    std::vector<double> values(static_cast<size_t>(product(shape).size));
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::floor(8 * std::sin(3.0 * i)) / 8;
    for (DType dtype : {DType::f32, DType::f64}) {
      list.push_back(
          {.operands = {}, .attributes = {{"values", values}, {"shape", shape}, {"dtype", dtype}}});
    }
  }
  return list;
}

const Registration table({
    .name = "table",
    .family = Family::generator,
    .operands = 0,
    .doc = "A small table of {values} in row-major order of {shape}.",
    .infer =
        [](const InferInput& input) {
          const Type type = attribute_type(input);
          const auto count = static_cast<int64_t>(input.attributes.numbers("values").size());
          if (has_batch(type.shape) || count == 0 || product(type.shape).size != count) {
            reject(input, "table has the wrong number of values",
                   "as many as fill " + to_string(type, input.batch));
          }
          return std::vector<Type>{type};
        },
    .eval = [](EvalContext& c) { c.results[0].data = c.node.attributes.numbers("values"); },
    .lower_index = lower_table,
    .cost = 4,
    .samples = table_samples,
});

std::vector<Sample> iota_samples() {
  std::vector<Sample> list;
  const std::vector<std::pair<Shape, int64_t>> cases = {{{{1}}, 0},
                                                        {{{67}}, 0},
                                                        {{{1, true}, {7}}, 0},
                                                        {{{1, true}, {7}}, 1},
                                                        {{{2}, {3}, {5}}, 1},
                                                        {{{2}, {3}, {1}, {5}}, 3}};
  for (const auto& [shape, axis] : cases) {
    for (DType dtype : {DType::i32, DType::f32, DType::f64}) {
      list.push_back(
          {.operands = {}, .attributes = {{"axis", axis}, {"shape", shape}, {"dtype", dtype}}});
    }
  }
  return list;
}

const Registration iota({
    .name = "iota",
    .family = Family::generator,
    .operands = 0,
    .doc = "0, 1, 2 … along {axis} of {shape}, the same in all other directions.",
    .infer =
        [](const InferInput& input) {
          const Type type = attribute_type(input);
          const int64_t axis = input.attributes.integer("axis");
          require_axes(input, "iota", {axis}, type.rank());
          require(input, "iota", type, Accept::numbers);
          return std::vector<Type>{type};
        },
    .eval =
        [](EvalContext& c) {
          const auto axis = static_cast<size_t>(c.node.attributes.integer("axis"));
          size_t next = 0;
          for_each_index(c.results[0].shape, [&](const std::vector<int64_t>& index) {
            c.results[0].data[next++] = static_cast<double>(index[axis]);
          });
        },
    .lower_index =
        [](LowerContext& c, const std::vector<kernel::Value>& indices,
           const std::vector<kernel::Value>&) {
          const auto axis = static_cast<size_t>(c.node.attributes.integer("axis"));
          return c.k.convert(c.k.splat(indices[axis], c.lanes), c.scalar);
        },
    .samples = iota_samples,
});

}  // namespace
}  // namespace nnc::ops
