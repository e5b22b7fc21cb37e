#include "compiler/ir/builder.h"

#include <algorithm>
#include <optional>

#include "compiler/ir/op.h"
#include "compiler/support/diagnostics.h"

namespace nnc::ir {
namespace {

// The number in every element, if the value is a constant.
std::optional<double> constant_of(const Value* value) {
  if (value->node == nullptr || value->node->op->name != "constant") return std::nullopt;
  return value->node->attributes.number("value");
}

// The NumPy shape of two operands: aligned at the end, extent 1 stretches.
Shape broadcast_shape(const Value* a, const Value* b, const std::string& op, const Builder& builder,
                      int64_t batch) {
  const Shape& long_one = a->type.rank() >= b->type.rank() ? a->type.shape : b->type.shape;
  const Shape& short_one = a->type.rank() >= b->type.rank() ? b->type.shape : a->type.shape;
  Shape shape = long_one;
  const size_t lead = long_one.size() - short_one.size();
  for (size_t i = 0; i < short_one.size(); ++i) {
    Dim& dim = shape[lead + i];
    if (dim == short_one[i] || short_one[i] == Dim{}) continue;
    if (dim != Dim{}) {
      throw UserError(builder.span(), op + " cannot combine two shapes",
                      "equal sizes, or 1, in each dimension counted from the last",
                      to_string(a->type.shape, batch) + " and " + to_string(b->type.shape, batch));
    }
    dim = short_one[i];
  }
  return shape;
}

}  // namespace

Node* Builder::node(const std::string& name, std::vector<Value*> operands, Attributes attributes) {
  return graph_.add(ir::op(name), std::move(operands), std::move(attributes), span_);
}

Value* Builder::op(const std::string& name, std::vector<Value*> operands, Attributes attributes) {
  return node(name, std::move(operands), std::move(attributes))->result();
}

Value* Builder::constant(double value, DType dtype, const Shape& shape) {
  return op("constant", {}, {{"value", value}, {"shape", shape}, {"dtype", dtype}});
}

Value* Builder::constant_like(double value, const Value* like) {
  return constant(value, like->type.dtype, like->type.shape);
}

Value* Builder::table(const std::vector<double>& values, DType dtype, const Shape& shape) {
  return op("table", {}, {{"values", values}, {"shape", shape}, {"dtype", dtype}});
}

Value* Builder::iota(const Shape& shape, int64_t axis, DType dtype) {
  return op("iota", {}, {{"shape", shape}, {"axis", axis}, {"dtype", dtype}});
}

Value* Builder::binary(const std::string& name, Value* a, Value* b) {
  const Shape shape = broadcast_shape(a, b, name, *this, graph_.batch);
  const bool commutes = name == "add" || name == "mul";
  if (commutes || name == "sub" || name == "div") {
    const double neutral = name == "add" || name == "sub" ? 0 : 1;
    if (constant_of(b) == neutral && a->type.dtype == b->type.dtype) {
      return broadcast_like(a, shape);
    }
    if (commutes && constant_of(a) == neutral && a->type.dtype == b->type.dtype) {
      return broadcast_like(b, shape);
    }
  }
  return op(name, {broadcast_like(a, shape), broadcast_like(b, shape)});
}

Value* Builder::add(Value* a, double b) {
  return b == 0 ? a : binary("add", a, constant_like(b, a));
}

Value* Builder::mul(Value* a, double b) {
  return b == 1 ? a : binary("mul", a, constant_like(b, a));
}

Value* Builder::select(Value* condition, Value* if_true, Value* if_false) {
  const Shape values = broadcast_shape(if_true, if_false, "select", *this, graph_.batch);
  Value* wide = broadcast_like(if_true, values);
  const Shape shape = broadcast_shape(condition, wide, "select", *this, graph_.batch);
  return op("select", {broadcast_like(condition, shape), broadcast_like(wide, shape),
                       broadcast_like(if_false, shape)});
}

Value* Builder::cast(Value* a, DType dtype) {
  return a->type.dtype == dtype ? a : op("cast", {a}, {{"dtype", dtype}});
}

Value* Builder::broadcast(Value* a, const Shape& shape, const std::vector<int64_t>& axes) {
  if (a->type.shape == shape) return a;
  if (const auto value = constant_of(a)) return constant(*value, a->type.dtype, shape);
  return op("broadcast", {a}, {{"shape", shape}, {"axes", axes}});
}

Value* Builder::broadcast_like(Value* a, const Shape& shape) {
  std::vector<int64_t> axes;
  for (int64_t i = a->type.rank(); i > 0; --i) {
    axes.push_back(static_cast<int64_t>(shape.size()) - i);
  }
  return broadcast(a, shape, axes);
}

Value* Builder::reshape(Value* a, const Shape& shape) {
  if (a->type.shape == shape) return a;
  if (const auto value = constant_of(a)) return constant(*value, a->type.dtype, shape);
  return op("reshape", {a}, {{"shape", shape}});
}

Value* Builder::transpose(Value* a, const std::vector<int64_t>& permutation) {
  if (std::is_sorted(permutation.begin(), permutation.end())) return a;
  return op("transpose", {a}, {{"permutation", permutation}});
}

Value* Builder::slice(Value* a, const std::vector<int64_t>& starts, const std::vector<Dim>& sizes,
                      const std::vector<int64_t>& steps) {
  const bool stepped = std::any_of(steps.begin(), steps.end(), [](int64_t s) { return s != 1; });
  if (a->type.shape == sizes && !stepped) return a;  // backwards it would not be the same
  Attributes attributes{{"starts", starts}, {"shape", Shape(sizes)}};
  if (stepped) attributes.set("steps", steps);
  return op("slice", {a}, std::move(attributes));
}

Value* Builder::pad(Value* a, const std::vector<int64_t>& low, const std::vector<int64_t>& high,
                    double value) {
  const auto zero = [](int64_t n) { return n == 0; };
  if (std::all_of(low.begin(), low.end(), zero) && std::all_of(high.begin(), high.end(), zero)) {
    return a;
  }
  return op("pad", {a}, {{"low", low}, {"high", high}, {"value", value}});
}

Value* Builder::concat(const std::vector<Value*>& parts, int64_t axis) {
  return parts.size() == 1 ? parts[0] : op("concat", parts, {{"axis", axis}});
}

Value* Builder::reduce(const std::string& name, Value* a, const std::vector<int64_t>& axes,
                       bool keep) {
  if (axes.empty()) return a;
  std::vector<int64_t> ascending = axes;
  std::sort(ascending.begin(), ascending.end());
  Value* result = op(name, {a}, {{"axes", ascending}});
  if (!keep) return result;
  Shape shape = a->type.shape;
  for (int64_t axis : ascending) shape[static_cast<size_t>(axis)] = {1, false};
  return reshape(result, shape);
}

Value* Builder::contract(Value* a, Value* b, const std::vector<int64_t>& lhs,
                         const std::vector<int64_t>& rhs, const std::vector<int64_t>& lhs_batch,
                         const std::vector<int64_t>& rhs_batch) {
  Attributes attributes{{"lhs", lhs}, {"rhs", rhs}};
  if (!lhs_batch.empty()) attributes.set("lhs_batch", lhs_batch);
  if (!rhs_batch.empty()) attributes.set("rhs_batch", rhs_batch);
  return op("contract", {a, b}, std::move(attributes));
}

Value* Builder::matmul(Value* a, Value* b) { return contract(a, b, {1}, {0}); }

Value* Builder::argmax(Value* a, int64_t axis) {
  const size_t place = static_cast<size_t>(axis);
  internal_check(place < a->type.shape.size() && !a->type.shape[place].batch,
                 "argmax needs a fixed axis of its operand");
  const int64_t size = a->type.shape[place].size;
  Value* highest = broadcast_like(reduce("reduce_max", a, {axis}, true), a->type.shape);
  Value* indices = iota(a->type.shape, axis, DType::i32);
  Value* last = constant(static_cast<double>(size - 1), DType::i32, a->type.shape);
  return reduce("reduce_min", select(compare("eq", a, highest), indices, last), {axis});
}

void Builder::assign(Value* state, Value* value) { node("assign", {state, value}); }

}  // namespace nnc::ir
