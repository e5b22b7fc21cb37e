#include "compiler/ops/record.h"

#include "compiler/support/diagnostics.h"

namespace nnc::ops {
namespace {

bool accepted(const Type& type, Accept accept) {
  switch (accept) {
    case Accept::floats: return type.is_float();
    case Accept::numbers: return type.dtype != DType::boolean;
    case Accept::booleans: return type.dtype == DType::boolean;
    case Accept::any: return true;
  }
  return false;
}

const char* describe(Accept accept) {
  switch (accept) {
    case Accept::floats: return "floating-point elements";
    case Accept::numbers: return "numbers";
    case Accept::booleans: return "booleans";
    case Accept::any: return "any elements";
  }
  return "";
}

std::string all_types(const InferInput& input) {
  std::string text;
  for (size_t i = 0; i < input.operands.size(); ++i) {
    text += (i == 0 ? "" : " and ") + to_string(input.operands[i], input.batch);
  }
  return text.empty() ? "no operands" : text;
}

}  // namespace

bool is_uniform(const ir::Value* value) {
  const Node* node = value->node;
  return node != nullptr && node->operands.empty() && node->op->uniform;
}

ir::Value* where_chosen(VjpContext& c, ir::Value* gradient) {
  if (!c.chosen) return gradient;
  ir::Value* zero = c.b.constant_like(0, gradient);
  return c.b.select(c.b.compare("eq", c.gradients[0], zero), zero, gradient);
}

ir::Value* times(VjpContext& c, ir::Value* g, ir::Value* slope) {
  ir::Value* product = c.b.mul(g, slope);
  return is_uniform(slope) ? product : where_chosen(c, product);
}

void reject(const InferInput& input, const std::string& message, const std::string& expected) {
  throw UserError(input.span, message, expected, all_types(input));
}

void require(const InferInput& input, const std::string& name, const Type& type, Accept accept) {
  if (!accepted(type, accept))
    reject(input, name + " has operands of the wrong kind", describe(accept));
}

void require_axes(const InferInput& input, const std::string& name,
                  const std::vector<int64_t>& axes, int rank) {
  int64_t last = -1;
  for (int64_t axis : axes) {
    if (axis <= last || axis >= rank) {
      reject(input, name + " has axes that do not fit its operand",
             "ascending axes from 0 to " + std::to_string(rank - 1));
    }
    last = axis;
  }
}

Infer infer_elementwise(const std::string& name, Accept accept, bool to_boolean) {
  return [=](const InferInput& input) {
    const Type& first = input.operands.at(0);
    for (const Type& type : input.operands) {
      require(input, name, type, accept);
      if (type != first) reject(input, name + " has operands of two types", "operands of one type");
    }
    return std::vector<Type>{{to_boolean ? DType::boolean : first.dtype, first.shape}};
  };
}

std::vector<int64_t> row_major_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

void for_each_index(const std::vector<int64_t>& shape,
                    const std::function<void(const std::vector<int64_t>&)>& visit) {
  for (int64_t size : shape) {
    if (size == 0) return;
  }
  std::vector<int64_t> index(shape.size(), 0);
  while (true) {
    visit(index);
    size_t axis = shape.size();
    while (axis > 0 && ++index[axis - 1] == shape[axis - 1]) index[--axis] = 0;
    if (axis == 0) return;
  }
}

int64_t flat_index(const std::vector<int64_t>& index, const std::vector<int64_t>& strides) {
  int64_t flat = 0;
  for (size_t i = 0; i < index.size(); ++i) flat += index[i] * strides[i];
  return flat;
}

std::function<void(EvalContext&)> eval_unary(double (*f)(double)) {
  return [f](EvalContext& c) {
    std::vector<double>& out = c.results[0].data;
    for (size_t i = 0; i < out.size(); ++i) out[i] = f(c.operands[0]->data[i]);
  };
}

std::function<void(EvalContext&)> eval_binary(double (*f)(double, double)) {
  return [f](EvalContext& c) {
    std::vector<double>& out = c.results[0].data;
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = f(c.operands[0]->data[i], c.operands[1]->data[i]);
    }
  };
}

Lower lower_unary(kernel::Op op) {
  return [op](LowerContext& c, const std::vector<kernel::Value>& v) { return c.k.unary(op, v[0]); };
}

Lower lower_binary(kernel::Op op) {
  return [op](LowerContext& c, const std::vector<kernel::Value>& v) {
    return c.k.binary(op, v[0], v[1]);
  };
}

kernel::Value constant_like(kernel::Builder& k, kernel::Value like, double value) {
  return k.constant(like.type, value);
}

const std::vector<Shape>& sample_shapes() {
  static const std::vector<Shape> shapes = {
      {},
      {{1}},
      {{7}},
      {{211}},
      {{3}, {5}},
      {{1, true}, {33}},
      {{2, true}, {3}, {1}},
      {{1, true}, {1}, {17}},
      {{2}, {3}, {1}, {5}},
      {{13}, {67}},
  };
  return shapes;
}

std::vector<Sample> float_samples(int operands, double low, double high, bool differentiable) {
  std::vector<Sample> samples;
  for (const Shape& shape : sample_shapes()) {
    const DType dtype = samples.size() % 2 == 0 ? DType::f32 : DType::f64;
    Sample sample;
    sample.operands.assign(static_cast<size_t>(operands), Type{dtype, shape});
    sample.low = low;
    sample.high = high;
    sample.differentiable = differentiable;
    samples.push_back(std::move(sample));
  }
  for (DType dtype : {DType::f32, DType::f64}) {
    samples.push_back(samples[4]);
    samples.back().operands.assign(static_cast<size_t>(operands), Type{dtype, {{3, true}, {19}}});
  }
  return samples;
}

std::vector<Sample> typed_samples(int operands, DType dtype, double low, double high) {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{}, Shape{{19}}, Shape{{1, true}, {5}}}) {
    Sample sample;
    sample.operands.assign(static_cast<size_t>(operands), Type{dtype, shape});
    sample.low = low;
    sample.high = high;
    sample.differentiable = false;
    samples.push_back(std::move(sample));
  }
  return samples;
}

std::vector<Sample> joined(std::vector<std::vector<Sample>> lists) {
  std::vector<Sample> all;
  for (auto& list : lists) {
    for (Sample& sample : list) all.push_back(std::move(sample));
  }
  return all;
}

}  // namespace nnc::ops
