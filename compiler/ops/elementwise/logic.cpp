// Comparisons, truth values, and the choice between two numbers.
#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

OpDef comparison(const std::string& name, const std::string& doc, kernel::Op op,
                 double (*f)(double, double)) {
  return {
      .name = name,
      .operands = 2,
      .doc = doc + ", element by element; the result is boolean. No derivative.",
      .infer = infer_elementwise(name, Accept::any, true),
      .eval = eval_binary(f),
      .lower = lower_binary(op),
      .samples =
          [] {
            return joined({float_samples(2, -2, 2, false), typed_samples(2, DType::i32, -2, 2),
                           typed_samples(2, DType::u8, 0, 255)});
          },
  };
}

const Registration eq(comparison("eq", "a = b", kernel::Op::eq,
                                 [](double a, double b) { return a == b ? 1.0 : 0.0; }));
const Registration ne(comparison("ne", "a differs from b (NaN differs from all)", kernel::Op::ne,
                                 [](double a, double b) { return a != b ? 1.0 : 0.0; }));
const Registration lt(comparison("lt", "a < b", kernel::Op::lt,
                                 [](double a, double b) { return a < b ? 1.0 : 0.0; }));
const Registration le(comparison("le", "a <= b", kernel::Op::le,
                                 [](double a, double b) { return a <= b ? 1.0 : 0.0; }));
const Registration gt(comparison("gt", "a > b", kernel::Op::gt,
                                 [](double a, double b) { return a > b ? 1.0 : 0.0; }));
const Registration ge(comparison("ge", "a >= b", kernel::Op::ge,
                                 [](double a, double b) { return a >= b ? 1.0 : 0.0; }));

const Registration logical_and({
    .name = "and",
    .operands = 2,
    .doc = "True where both operands are true.",
    .infer = infer_elementwise("and", Accept::booleans),
    .eval = eval_binary([](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }),
    .lower = lower_binary(kernel::Op::bit_and),
    .samples = [] { return typed_samples(2, DType::boolean, 0, 1); },
});

const Registration logical_or({
    .name = "or",
    .operands = 2,
    .doc = "True where at least one operand is true.",
    .infer = infer_elementwise("or", Accept::booleans),
    .eval = eval_binary([](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }),
    .lower = lower_binary(kernel::Op::bit_or),
    .samples = [] { return typed_samples(2, DType::boolean, 0, 1); },
});

const Registration logical_not({
    .name = "not",
    .doc = "True where the operand is false.",
    .infer = infer_elementwise("not", Accept::booleans),
    .eval = eval_unary([](double a) { return a == 0 ? 1.0 : 0.0; }),
    .lower =
        [](LowerContext& c, const std::vector<kernel::Value>& v) {
          return c.k.binary(kernel::Op::bit_xor, v[0], constant_like(c.k, v[0], 1));
        },
    .samples = [] { return typed_samples(1, DType::boolean, 0, 1); },
});

std::vector<Type> infer_select(const InferInput& input) {
  const Type& condition = input.operands[0];
  const Type& value = input.operands[1];
  if (condition.dtype != DType::boolean || condition.shape != value.shape ||
      value != input.operands[2]) {
    reject(input, "select has operands that do not fit",
           "a boolean and two values of one type, all of one shape");
  }
  return {value};
}

std::vector<Sample> select_samples() {
  std::vector<Sample> samples = float_samples(3);
  for (Sample& sample : samples) {
    sample.operands[0].dtype = DType::boolean;
    sample.ranges = {{0, 1}, {-2, 2}, {-2, 2}};
  }
  return samples;
}

const Registration select({
    .name = "select",
    .operands = 3,
    .doc = "condition ? a : b, element by element. The gradient goes to the chosen operand.",
    .infer = infer_select,
    .vjp =
        [](VjpContext& c) {
          ir::Value* g = c.gradients[0];
          ir::Value* zero = c.b.constant_like(0, g);
          return Gradients{nullptr, c.b.select(c.operand(0), g, zero),
                           c.b.select(c.operand(0), zero, g)};
        },
    .eval =
        [](EvalContext& c) {
          std::vector<double>& out = c.results[0].data;
          for (size_t i = 0; i < out.size(); ++i) {
            out[i] = c.operands[c.operands[0]->data[i] != 0 ? 1 : 2]->data[i];
          }
        },
    .lower = [](LowerContext& c,
                const std::vector<kernel::Value>& v) { return c.k.select(v[0], v[1], v[2]); },
    .picks = true,
    .samples = select_samples,
});

}  // namespace
}  // namespace nnc::ops
